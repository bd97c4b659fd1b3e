"""The services in containers, where an engine answers: the same images as docker-compose.yml."""

import contextlib
import time
from typing import Self

from testcontainers.community.postgres import PostgresContainer
from testcontainers.core.container import DockerContainer

from worker.adapters.embedded.processes import accepts, free_port

KAFKA_IMAGE = "apache/kafka:4.3.1"
POSTGRES_IMAGE = "postgres:17"
START_TIMEOUT_SECONDS = 120
STARTED = "Kafka Server started"


def publish(container: DockerContainer, inside: int, outside: int) -> None:
    """Publish a port on 127.0.0.1 only."""
    # docker-py takes an address and a port as well; testcontainers' annotation knows ports only.
    container.ports[f"{inside}/tcp"] = ("127.0.0.1", outside)  # type: ignore[assignment]


class ApacheKafka(DockerContainer):
    """The image `apache/kafka`, one node.

    Its port is chosen before it starts and is the same inside and outside, because the broker
    reaches itself through the listener that it advertises: with another port inside, all works but
    transactions, which hang.
    """

    def __init__(self) -> None:
        super().__init__(KAFKA_IMAGE)
        self.port = free_port()
        controller_port = free_port()
        publish(self, inside=self.port, outside=self.port)
        settings = {
            "KAFKA_NODE_ID": "1",
            "KAFKA_PROCESS_ROLES": "broker,controller",
            "KAFKA_LISTENERS": f"PLAINTEXT://0.0.0.0:{self.port},CONTROLLER://127.0.0.1:{controller_port}",
            "KAFKA_ADVERTISED_LISTENERS": f"PLAINTEXT://127.0.0.1:{self.port}",
            "KAFKA_CONTROLLER_LISTENER_NAMES": "CONTROLLER",
            "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
            "KAFKA_CONTROLLER_QUORUM_VOTERS": f"1@127.0.0.1:{controller_port}",
            "KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR": "1",
            "KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR": "1",
            "KAFKA_TRANSACTION_STATE_LOG_MIN_ISR": "1",
            "KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS": "0",
            "KAFKA_AUTO_CREATE_TOPICS_ENABLE": "false",
        }
        for name, value in settings.items():
            self.with_env(name, value)

    def wait_for_broker(self) -> None:
        """Return when the broker serves; TimeoutError with its log when it does not."""
        end = time.monotonic() + START_TIMEOUT_SECONDS
        while True:
            output = b"".join(self.get_logs()).decode(errors="replace")
            if STARTED in output and accepts(self.port):
                return
            if time.monotonic() > end:
                raise TimeoutError(f"{KAFKA_IMAGE} did not start:\n{output[-2_000:]}")
            time.sleep(0.1)


class ContainerStack:
    """Kafka and PostgreSQL in containers, published on 127.0.0.1 only."""

    def __init__(self) -> None:
        self._kafka = ApacheKafka()
        self._postgres = PostgresContainer(POSTGRES_IMAGE, driver=None)
        self._postgres_port = free_port()
        self._postgres.ports.clear()
        publish(self._postgres, inside=5432, outside=self._postgres_port)
        self._running = contextlib.ExitStack()

    @property
    def kafka(self) -> str:
        return f"127.0.0.1:{self._kafka.port}"

    @property
    def database(self) -> str:
        server = self._postgres
        return f"postgresql://{server.username}:{server.password}@127.0.0.1:{self._postgres_port}/{server.dbname}"

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as starting:
            starting.enter_context(self._kafka)
            starting.enter_context(self._postgres)
            self._kafka.wait_for_broker()
            self._running = starting.pop_all()
        return self

    def __exit__(self, *error: object) -> None:
        self._running.close()
