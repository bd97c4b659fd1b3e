"""What is logged while something is spoilt: an error with a traceback is a mistake of ours, whatever was sent."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from tests.fuzz.material import CANARY


class _Listener(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.heard: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        text = logging.Formatter().format(record)
        if record.exc_info is not None or record.levelno >= logging.ERROR or CANARY in text:
            self.heard.append(text)


@contextmanager
def errors_logged() -> Iterator[list[str]]:
    """Everything that should not have been logged: tracebacks, errors, and whatever was in a record."""
    listener, root = _Listener(), logging.getLogger()
    root.addHandler(listener)
    try:
        yield listener.heard
    finally:
        root.removeHandler(listener)
