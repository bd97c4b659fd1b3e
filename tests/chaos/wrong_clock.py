"""A clock that a file sets wrong: what `datetime.now` and `time.time` say in this process. Its monotonic clock, as in
a machine whose time somebody steps, goes on."""

import signal
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import time_machine


def true_time() -> float:
    """Seconds since 1970, however wrong the clock of this process is."""
    is_wrong = time_machine.escape_hatch.is_travelling()
    return float(time_machine.escape_hatch.time.time()) if is_wrong else time.time()


def follow(offset: Path) -> None:
    """From now on this process's clock is as many seconds off as the file says; SIGUSR2 makes it look again."""
    wrong = time_machine.travel(datetime.now(UTC), tick=True).start()

    def look(*_: object) -> None:
        should = float(offset.read_text()) if offset.exists() else 0.0
        wrong.shift(timedelta(seconds=should - (time.time() - true_time())))

    look()
    signal.signal(signal.SIGUSR2, look)
