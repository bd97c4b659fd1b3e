"""Places where a test may kill the worker. Nothing is armed unless `arm` was called, which only tests may ask for.

The names say what has happened and what has not yet; `docs/reliability.md` lists them with what must survive.
"""

import os
import signal

NAMES = frozenset(
    {
        "intake.before-insert",
        "intake.before-offsets",
        "case.before-commit",
        "case.after-commit",
        "action.before-call",
        "action.after-call",
        "payment.before-call",
        "payment.after-call",
        "publish.before-mark",
    }
)

_armed: dict[str, int] = {}


def arm(specification: str) -> None:
    """Reads `name=N,name=N`: the process kills itself with SIGKILL at the N-th time it reaches the place.

    Raises ValueError for a name that is not one, or a count below 1.
    """
    for part in filter(None, specification.split(",")):
        name, _, count = part.partition("=")
        if name not in NAMES:
            raise ValueError(f"unknown failpoint {name!r}; choose among {', '.join(sorted(NAMES))}")
        if not count.isdecimal() or int(count) < 1:
            raise ValueError(f"failpoint {name}: give a count of at least 1, as in {name}=1")
        _armed[name] = int(count)


def reach(name: str) -> None:
    """Dies here if this is the time."""
    if not _armed or name not in _armed:
        return
    _armed[name] -= 1
    if _armed[name] == 0:
        os.kill(os.getpid(), signal.SIGKILL)
