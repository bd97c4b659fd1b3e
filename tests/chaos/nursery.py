"""A program that has loaded the worker and starts copies of it: `signoff run` without the seconds of importing.

Each line on standard input is one order, `{"environment": {…}, "log": PATH, "clock": PATH}`; the answer is
`{"started": PID}`. When a worker ends it says `{"ended": PID, "status": S}`, S as of `subprocess`. Each worker is a
process of its own, killed as any other. They end with this program, which ends with its standard input.
"""

import json
import os
import selectors
import signal
import sys
import threading
from pathlib import Path
from typing import Any, NoReturn

# What a worker needs is loaded once, here.
import worker.bootstrap  # noqa: F401
from tests.chaos.wrong_clock import follow
from worker.cli.run import run


class Nursery:
    def __init__(self) -> None:
        self._children: set[int] = set()

    def serve(self) -> None:
        """Takes orders until there are no more; an end is told as soon as it is seen."""
        ended_reader, self._ended = os.pipe()
        os.set_blocking(self._ended, False)
        signal.set_wakeup_fd(self._ended)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        orders = selectors.DefaultSelector()
        orders.register(sys.stdin.fileno(), selectors.EVENT_READ)
        orders.register(ended_reader, selectors.EVENT_READ)
        pending = b""
        while True:
            for key, _ in orders.select():
                if key.fd == ended_reader:
                    os.read(ended_reader, 4096)
                    self._reap()
                    continue
                read = os.read(key.fd, 65_536)
                if not read:
                    return
                *lines, pending = (pending + read).split(b"\n")
                for line in lines:
                    self._start(json.loads(line))

    def end_all(self) -> None:
        for child in self._children:
            os.kill(child, signal.SIGKILL)
        for child in self._children:
            os.waitpid(child, 0)

    def _start(self, order: dict[str, Any]) -> None:
        child = os.fork()
        if child == 0:
            _become_worker(order)
        self._children.add(child)
        _tell(started=child)

    def _reap(self) -> None:
        for child in list(self._children):
            ended, status = os.waitpid(child, os.WNOHANG)
            if ended:
                self._children.remove(child)
                _tell(ended=child, status=os.waitstatus_to_exitcode(status))


def _tell(**said: int) -> None:
    os.write(1, json.dumps(said).encode() + b"\n")


def _become_worker(order: dict[str, Any]) -> NoReturn:
    """Never comes back into the loop of the nursery, whatever happens."""
    code = 1
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        log = os.open(order["log"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        nothing = os.open(os.devnull, os.O_RDONLY)
        for source, target in ((nothing, 0), (log, 1), (log, 2)):
            os.dup2(source, target)
        os.environ.clear()
        os.environ.update(order["environment"])
        follow(Path(order["clock"]))
        run()
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    except BaseException as error:
        sys.excepthook(type(error), error, error.__traceback__)
    finally:
        sys.stderr.flush()
        os._exit(code)


def main() -> None:
    if threading.active_count() > 1:
        sys.exit(f"loading the worker left threads, which a copy would lack: {threading.enumerate()}")
    # Until a worker follows its clock, news of it must not end it.
    signal.signal(signal.SIGUSR2, signal.SIG_IGN)
    nursery = Nursery()
    try:
        nursery.serve()
    finally:
        nursery.end_all()


if __name__ == "__main__":
    main()
