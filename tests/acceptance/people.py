"""The people of the stories: each as a decision names them, an id and the roles that they hold."""

from typing import Any

Reviewer = dict[str, Any]


def _person(name: str, *roles: str) -> Reviewer:
    return {"id": f"user:{name}", "roles": list(roles)}


MARIA = _person("maria", "manager")
JONAS = _person("jonas", "manager")
DORA = _person("dora", "director")
VERA = _person("vera", "vp")

ENNO = _person("enno", "engineer")
DINA = _person("dina", "dba")
LENA = _person("lena", "legal")

TESS = _person("tess", "technical")
BORIS = _person("boris", "business")

ADA = _person("ada", "board")
BEN = _person("ben", "board")
CLEO = _person("cleo", "board")

RICK = _person("rick")
INES = _person("ines")
"""Rick asks for things, and Ines stands in for others; neither has a role of their own."""
