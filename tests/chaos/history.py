"""What a party of a run has done and seen, one JSON object a line, written at once: the party may be killed next."""

import json
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self


class History:
    """Appends to one file. `at` is the time of this machine in seconds since 1970, whatever workers believe."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("a", encoding="utf-8", buffering=1)

    def tell(self, event: str, **fields: Any) -> None:
        self._file.write(json.dumps({"at": time.time(), "event": event, **fields}) + "\n")

    def close(self) -> None:
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def read(path: Path) -> list[dict[str, Any]]:
    """All that is told there. A last line that was cut off by a kill is left out."""
    lines = path.read_text(encoding="utf-8").split("\n")
    return [json.loads(line) for line in lines[:-1]]
