"""Whose port it is, and whose process: the pair touches nothing that is not its own."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from worker.adapters.embedded import kafka as kafka_module
from worker.adapters.embedded.errors import EmbeddedError, PortTakenError
from worker.adapters.embedded.jars import class_path
from worker.adapters.embedded.kafka import Kafka
from worker.adapters.embedded.processes import ChildProcess, Command, end_leftover, free_port, listens, with_new_ports


def command(directory: Path, program: str) -> Command:
    return Command(
        name="A program",
        arguments=[sys.executable, "-c", program],
        directory=directory,
        log=directory / "log",
        pid_file=directory / "pid",
        stop_signal=signal.SIGTERM,
        environment=os.environ,
    )


def test_a_listener_is_told_from_another_process_on_the_same_port() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        assert listens(os.getpid(), port)
        if sys.platform == "linux":
            assert not listens(os.getppid(), port)


def test_a_broker_whose_port_was_taken_gets_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as rival:
        rival.bind(("127.0.0.1", 0))
        rival.listen()
        taken = rival.getsockname()[1]
        ports = iter([taken])
        monkeypatch.setattr(kafka_module, "free_port", lambda: next(ports, None) or free_port())
        broker = Kafka(tmp_path, class_path())
        broker.start()
        try:
            assert broker.bootstrap != f"127.0.0.1:{taken}"
        finally:
            broker.stop()


def test_ports_that_are_always_taken_end_in_an_error() -> None:
    attempts = []

    def unlucky() -> None:
        attempts.append(1)
        raise PortTakenError("taken")

    with pytest.raises(PortTakenError):
        with_new_ports(unlucky)
    assert len(attempts) == 3


def test_a_program_that_ends_at_once_is_quoted(tmp_path: Path) -> None:
    child = ChildProcess(command(tmp_path, "raise SystemExit('no room left')"))
    with pytest.raises(EmbeddedError, match="no room left"):
        child.wait_until(lambda: False, timeout_seconds=10)
    child.stop()


def test_a_program_that_will_not_end_is_killed(tmp_path: Path) -> None:
    stubborn = "import signal, time; signal.signal(15, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)"
    child = ChildProcess(command(tmp_path, stubborn))
    child.wait_until(lambda: "deaf" in child.log_tail(), timeout_seconds=10)
    child.stop(timeout_seconds=0.1)
    assert not child.running


def test_a_leftover_is_ended_only_when_it_carries_our_mark(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    program = [sys.executable, "-c", "print('here', flush=True); input()", "mark-of-somebody"]
    with subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as stranger:
        # A process that is just being made has no command line yet.
        assert stranger.stdout
        assert stranger.stdout.readline() == b"here\n"
        note.write_text(str(stranger.pid))
        end_leftover(note, mark="our-mark", stop_signal=signal.SIGTERM)
        assert stranger.poll() is None
        assert not note.exists()
        note.write_text(str(stranger.pid))
        end_leftover(note, mark="mark-of-somebody", stop_signal=signal.SIGKILL, timeout_seconds=0.5)
        assert stranger.wait(10) == -signal.SIGKILL
