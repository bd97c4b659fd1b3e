"""The files that publish the contract: one JSON Schema for each event, and the AsyncAPI document."""

import json
from pathlib import Path
from typing import Any

import yaml

from schemas.generate import asyncapi
from schemas.generate.json_schema import json_schemas

CONTRACT_VERSION = "1.0.0"
"""Of the contract: raised with it, not with the software."""

_SCHEMAS = Path("schemas") / "json"
_ASYNCAPI = Path("docs") / "asyncapi.yaml"


class _WithoutAliases(yaml.SafeDumper):
    """Writes a value that occurs twice twice: anchors are for machines."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def generated() -> dict[Path, str]:
    """The text of every published file, by its path from the root of the project."""
    schemas = {
        _SCHEMAS / f"{type_}.schema.json": json.dumps(schema, indent=2) + "\n"
        for type_, schema in json_schemas().items()
    }
    document = yaml.dump(
        asyncapi.document(CONTRACT_VERSION),
        Dumper=_WithoutAliases,
        sort_keys=False,
        allow_unicode=True,
        width=120,
    )
    return {**schemas, _ASYNCAPI: document}


def drift(root: Path) -> list[str]:
    """A sentence for each file under `root` that is not what the models say."""
    expected = generated()
    sentences = [
        f"{path} does not agree with the models." if (root / path).is_file() else f"{path} is missing."
        for path, text in expected.items()
        if not (root / path).is_file() or (root / path).read_text(encoding="utf-8") != text
    ]
    leftover = {path.relative_to(root) for path in (root / _SCHEMAS).glob("*.json")} - expected.keys()
    return [*sentences, *(f"{path} describes no event of ours." for path in sorted(leftover))]


def write(root: Path) -> None:
    for path, text in generated().items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")
