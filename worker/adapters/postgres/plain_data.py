"""How a thread's values become bytes, and how bytes become values without running anything.

LangGraph's serializer by default imports and calls whatever a stored value names, so that whoever
can write a row can run code in the worker. Strictness is passed here in so many words:
LANGGRAPH_STRICT_MSGPACK is read once, when LangGraph is first imported, and in strict mode
LangGraph widens the list again with the message classes of chat models.
"""

from typing import Any

from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer


class PlainDataSerializer(JsonPlusSerializer):
    """Msgpack of plain data and of LangGraph's own `Interrupt`; other classes come back as data."""

    def __init__(self) -> None:
        super().__init__(allowed_msgpack_modules=None)

    def with_msgpack_allowlist(self, extra_allowlist: object) -> "PlainDataSerializer":
        """Nothing widens the list."""
        return self

    def loads_typed(self, data: tuple[str, bytes]) -> Any:
        """Raises ValueError for the encoding that revives objects, which nobody here writes."""
        encoding, _ = data
        if encoding == "json":
            raise ValueError("a stored value claims the encoding 'json', which can revive objects")
        return super().loads_typed(data)
