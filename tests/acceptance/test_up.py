"""The newcomer's first minute: one command, cases that wait, a line to type, and nothing left behind."""

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest
from aiokafka.admin import AIOKafkaAdminClient

from schemas.catalogue import TOPICS
from tests.acceptance.newcomer import SIGNOFF, Session, delete_database, signoff_up, wait_for_the_end_of


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path
    delete_database(tmp_path / ".signoff")


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    """A demo that has been played, and is watching."""
    folder = tmp_path_factory.mktemp("demo")
    with signoff_up(folder, "--demo") as session:
        session.commands()
        yield session
    delete_database(folder / ".signoff")


async def test_programs_get_one_line_of_json_when_all_is_ready(folder: Path) -> None:
    with signoff_up(folder, "--json", "--data", "elsewhere", "--partitions", "2") as session:
        ready = json.loads(session.output.until("^.+$")[0])
        assert ready.keys() == {"ready", "kafka", "database"}
        assert ready["ready"] is True
        with psycopg.connect(ready["database"]) as connection:
            assert connection.execute("select count(*) from cases").fetchone() == (0,)
        admin = AIOKafkaAdminClient(bootstrap_servers=ready["kafka"])
        await admin.start()
        described = await admin.describe_topics([topic.name for topic in TOPICS])
        await admin.close()
        assert [len(topic["partitions"]) for topic in described] == [2] * len(TOPICS)

        assert session.stop(signal.SIGTERM) == 0
        assert len(session.output.whole()) == 1
    delete_database(folder / "elsewhere")


def test_the_demo_says_what_happens_and_why(demo: Session) -> None:
    for told in (
        r"small refund +executed +25\.00 USD .* no rule asked for a person",
        r"early cancellation +executed +60\.00 USD .* no rule asked for a person",
        r"several items +waits +for the manager: 2 items are asked for, more than 1",
        r"several items +executed +50\.00 USD .* signed by user:demo-manager",
        r"price adjustment +waits .* 120\.00 USD is over 100\.00 USD",
        r"price adjustment +executed +60\.00 USD by store_credit, signed by user:demo-manager",
        r"low confidence +waits +for the manager: confidence 0\.41 is under 0\.7",
        r"low confidence +rejected +by user:demo-manager",
        r"large refund +waits +for the manager: refund of 150\.00 USD is over 100\.00 USD",
        r"VIP customer +waits +for the manager: the customer is a VIP",
        r"account change +waits +for the manager: account changes always need a person",
    ):
        assert demo.output.until(told)


def test_the_printed_line_decides_a_case(demo: Session) -> None:
    assert len(demo.commands()) >= 3
    exception, command = next(iter(demo.commands().items()))

    typed = demo.type(command)

    assert typed.returncode == 0, typed.stderr
    assert typed.stdout.startswith("ACCEPTED")
    assert demo.output.until(r"large refund +executed +150\.00 USD .* signed by user:you")
    shown = demo.type(f"{SIGNOFF} cases show {exception}")
    assert "executed" in shown.stdout


def test_a_killed_worker_comes_back_and_a_decision_sent_meanwhile_gets_its_outcome(demo: Session) -> None:
    *_, (_, command) = demo.commands().items()
    seen = len(demo.output.all)
    worker = demo.worker()

    worker.kill()
    typed = demo.type(command)

    assert typed.returncode == 0, typed.stderr
    assert demo.output.until(
        rf"worker up-0 \(process {worker.pid}\) was ended by SIGKILL; starting it again", after=seen
    )
    assert demo.output.until(r"worker up-0 is back", after=seen)
    assert demo.output.until(r"account change +executed .* signed by user:you", after=seen)


def test_a_second_one_on_the_same_data_is_told_who_holds_them(demo: Session) -> None:
    refused = demo.type(f"{SIGNOFF} up")

    assert refused.returncode == 1
    assert f"(process {demo.program.pid})" in refused.stderr
    assert refused.stdout == ""


def test_stopped_and_started_again_the_pending_cases_are_there_until_the_database_dies(folder: Path) -> None:
    with signoff_up(folder, "--demo", "--workers", "2") as session:
        waiting = session.commands()
        started = session.started()
        assert len(started) >= 4
        assert session.stop(signal.SIGINT) == 0
        assert [process for process in started if process.is_running()] == []
    with signoff_up(folder) as session:
        assert session.commands() == waiting
        typed = session.type(next(iter(waiting.values())))
        assert typed.returncode == 0, typed.stderr

        started = session.started()
        next(process for process in started if process.name() == "postgres").kill()
        session.errors.until("signoff: Kafka or PostgreSQL ended by itself; .signoff/kafka/broker.log")
        assert session.program.wait(60) == 1
        wait_for_the_end_of(started)


def test_killed_with_9_it_leaves_no_orphan(folder: Path) -> None:
    with signoff_up(folder, "--workers", "2") as session:
        session.output.until("^Watching")
        started = session.started()
        assert len(started) >= 4
        session.program.kill()
        wait_for_the_end_of(started)
    assert psutil.pid_exists(session.program.pid) is False


def test_a_worker_that_cannot_live_is_given_up_with_its_last_words(folder: Path) -> None:
    with signoff_up(
        folder, "--demo", SIGNOFF_FAILPOINTS="intake.before-insert=1", SIGNOFF_ALLOW_FAILPOINTS="true"
    ) as session:
        session.output.until("was ended by SIGKILL")
        started = session.started()
        session.errors.until("signoff: worker up-0 died 5 times in a row")
        session.errors.until("its last words, from .*worker-0.log")
        assert session.program.wait(60) == 1
        assert [process for process in started if process.is_running()] == []
