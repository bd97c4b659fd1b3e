"""What can be read of an event that cannot be read as a whole."""

from pydantic import TypeAdapter, ValidationError

from schemas.values import Identifier

_IDENTIFIER: TypeAdapter[str] = TypeAdapter(Identifier)


def legible_identifier(data: object, field: str) -> str | None:
    """The id in this field; None when there is no object, no such field, or no id in it."""
    if not isinstance(data, dict):
        return None
    try:
        return _IDENTIFIER.validate_python(data.get(field), strict=True)
    except ValidationError:
        return None
