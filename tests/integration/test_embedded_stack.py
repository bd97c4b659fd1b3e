"""The services that the tests get are real ones."""

from pathlib import Path

import psycopg
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from tests.stack.services import Services, chosen_stack


async def test_a_record_goes_through_the_broker_of_the_fixture(stack: Services, topic_prefix: str) -> None:
    topic = f"{topic_prefix}greetings"
    admin = AIOKafkaAdminClient(bootstrap_servers=stack.kafka)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(topic, num_partitions=2, replication_factor=1)])
    finally:
        await admin.close()
    async with AIOKafkaProducer(bootstrap_servers=stack.kafka, enable_idempotence=True) as producer:
        await producer.send_and_wait(topic, b"hello", key=b"k")
    async with AIOKafkaConsumer(topic, bootstrap_servers=stack.kafka, auto_offset_reset="earliest") as consumer:
        record = await consumer.getone()
    assert (record.key, record.value) == (b"k", b"hello")


def test_each_test_has_an_empty_database_of_its_own(database: str) -> None:
    with psycopg.connect(database) as connection:
        connection.execute("CREATE TABLE here (id int)")
        tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
    assert tables == [("here",)]


@pytest.mark.parametrize("choice", ["containers", "embedded"])
def test_the_source_of_the_services_can_be_chosen(monkeypatch: pytest.MonkeyPatch, choice: str) -> None:
    monkeypatch.setenv("SIGNOFF_TEST_STACK", choice)
    assert chosen_stack() == choice


def test_a_misspelt_source_of_the_services_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIGNOFF_TEST_STACK", "dokcer")
    with pytest.raises(ValueError, match="dokcer"):
        chosen_stack()


def test_without_an_engine_the_embedded_pair_is_taken(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("SIGNOFF_TEST_STACK", raising=False)
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/nobody-listens.sock")
    assert chosen_stack() == "embedded"
