"""What the embedded pair keeps, and what becomes of it, when programs and machines are killed."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import psycopg
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

WAIT_SECONDS = 30
TOPIC = "kept"


@dataclass(frozen=True)
class Running:
    program: "subprocess.Popen[str]"
    kafka: str
    database: str
    pids: list[int]


@contextmanager
def running(directory: Path) -> Iterator[Running]:
    """The pair on `directory` under a program of its own, ended in order if it still lives."""
    program = subprocess.Popen(
        [sys.executable, "-m", "tests.stack.embedded_program", str(directory)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with program:
        assert program.stdout is not None
        assert program.stderr is not None
        line = program.stdout.readline()
        assert line, program.stderr.read()
        yield Running(program=program, **json.loads(line))
        program.communicate(timeout=WAIT_SECONDS)


@pytest.fixture
def data_dir(tmp_path: Path) -> Iterator[Path]:
    """A folder for the pair; under root the database may be elsewhere, and is deleted there."""
    yield tmp_path
    elsewhere = tmp_path / "postgres" / "elsewhere"
    if elsewhere.is_symlink():
        shutil.rmtree(elsewhere.resolve())


def wait_for_the_end_of(pids: list[int]) -> None:
    processes = [psutil.Process(pid) for pid in pids if psutil.pid_exists(pid)]
    _, alive = psutil.wait_procs(processes, timeout=WAIT_SECONDS)
    assert alive == []


async def write(services: Running) -> None:
    with psycopg.connect(services.database) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    admin = AIOKafkaAdminClient(bootstrap_servers=services.kafka)
    await admin.start()
    await admin.create_topics([NewTopic(TOPIC, num_partitions=1, replication_factor=1)])
    await admin.close()
    async with AIOKafkaProducer(bootstrap_servers=services.kafka, acks="all") as producer:
        await producer.send_and_wait(TOPIC, b"kept")


async def read(services: Running) -> tuple[object, object]:
    with psycopg.connect(services.database) as connection:
        row = connection.execute("SELECT answer FROM kept").fetchone()
    async with AIOKafkaConsumer(TOPIC, bootstrap_servers=services.kafka, auto_offset_reset="earliest") as consumer:
        record = await consumer.getone()
    return row, record.value


async def test_data_are_there_at_the_next_start(data_dir: Path) -> None:
    with running(data_dir) as first:
        await write(first)
    with running(data_dir) as second:
        assert await read(second) == ((42,), b"kept")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends the children of a killed parent")
def test_a_killed_program_takes_its_broker_and_its_database_with_it(data_dir: Path) -> None:
    with running(data_dir) as services:
        os.kill(services.program.pid, signal.SIGKILL)
        wait_for_the_end_of(services.pids)


async def test_what_was_acknowledged_survives_the_death_of_everything(data_dir: Path) -> None:
    with running(data_dir) as services:
        await write(services)
        for pid in (*services.pids, services.program.pid):
            os.kill(pid, signal.SIGKILL)
        wait_for_the_end_of(services.pids)
    with running(data_dir) as again:
        assert await read(again) == ((42,), b"kept")


def test_a_second_program_is_told_who_uses_the_data(data_dir: Path) -> None:
    with running(data_dir) as first:
        second = subprocess.run(
            [sys.executable, "-m", "tests.stack.embedded_program", str(data_dir)],
            capture_output=True,
            text=True,
            check=False,
        )
    assert second.returncode == 1
    assert f"process {first.program.pid}" in second.stderr
    assert str(data_dir) in second.stderr


def test_a_recycled_process_number_is_nobody_to_end(data_dir: Path) -> None:
    """The numbers that a killed run left behind may belong to a stranger by now: to us, here."""
    with running(data_dir):
        pass
    here = data_dir / "postgres" / "data"
    data = here if here.exists() else data_dir / "postgres" / "elsewhere" / "data"
    for note in (data_dir / "kafka" / "kafka.pid", data_dir / "postgres" / "postgres.pid"):
        note.write_text(f"{os.getpid()}\n")
    (data / "postmaster.pid").write_text(f"{os.getppid()}\n{data}\n0\n1\n\n\n\n\n")
    with running(data_dir) as services:
        assert len(services.pids) == 2
