"""Places where a test may kill or stop the worker. Nothing is armed unless `arm` was called, which only tests may ask
for.

The names say what has happened and what has not yet; `docs/reliability.md` lists them with what must survive.
"""

import json
import os
import signal
from collections.abc import Iterable
from dataclasses import dataclass

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

SIGNALS = {"kill": signal.SIGKILL, "stop": signal.SIGSTOP}

STDERR = 2


@dataclass(slots=True)
class _Armed:
    left: int
    fault: str


_armed: dict[str, _Armed] = {}


def arm(specification: str) -> None:
    """Reads `name=N,name=N:stop`: the N-th time that the process reaches the place it kills itself with SIGKILL, or
    stops itself with SIGSTOP, until somebody sends SIGCONT.

    Raises ValueError for a name that is not one, a count below 1, or another fault.
    """
    for part in filter(None, specification.split(",")):
        name, _, rest = part.partition("=")
        count, _, fault = rest.partition(":")
        if name not in NAMES:
            raise ValueError(f"unknown failpoint {name!r}; choose among {', '.join(sorted(NAMES))}")
        if not count.isdecimal() or int(count) < 1:
            raise ValueError(f"failpoint {name}: give a count of at least 1, as in {name}=1")
        if fault and fault not in SIGNALS:
            raise ValueError(f"failpoint {name}: {fault!r} is no fault; choose among {', '.join(SIGNALS)}")
        _armed[name] = _Armed(int(count), fault or "kill")


def reach(name: str, states: Iterable[str] = ()) -> None:
    """Dies or stops here if this is the time, and says so before on standard error as one line of JSON; `states` are
    those of the cases at work, for whoever wants to know what the fault met."""
    if not _armed or name not in _armed:
        return
    armed = _armed[name]
    armed.left -= 1
    if armed.left == 0:
        told = {"failpoint": name, "fault": armed.fault, "states": sorted(set(states))}
        os.write(STDERR, json.dumps(told).encode() + b"\n")
        os.kill(os.getpid(), SIGNALS[armed.fault])
