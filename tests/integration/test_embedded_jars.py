"""Apache Kafka's jars: nothing runs that was not reviewed, and nothing is fetched twice."""

import shutil
import time
from pathlib import Path

import pytest

from worker.adapters.embedded.errors import EmbeddedError
from worker.adapters.embedded.jars import Jar, class_path, default_cache, listed_jars


@pytest.fixture(scope="module")
def fetched() -> list[Path]:
    """The jars in the user's cache, fetched now unless they are there."""
    return class_path()


@pytest.fixture
def cache(fetched: list[Path], tmp_path: Path) -> Path:
    """A copy of the cache that a test may spoil."""
    for jar in fetched:
        shutil.copyfile(jar, tmp_path / jar.name)
    return tmp_path


def never(jars: list[Jar], into: Path) -> None:
    raise AssertionError("nothing should be fetched")


def test_a_full_cache_needs_no_network_and_little_time(cache: Path) -> None:
    class_path(cache, fetch=never)
    began = time.perf_counter()
    found = class_path(cache, fetch=never)
    assert time.perf_counter() - began < 0.3
    assert len(found) == len(listed_jars())


def test_a_jar_that_changed_on_disk_is_refused_by_name(cache: Path) -> None:
    spoiled = cache / listed_jars()[0].file_name
    spoiled.write_bytes(spoiled.read_bytes() + b"!")
    with pytest.raises(EmbeddedError, match=spoiled.name) as refusal:
        class_path(cache, fetch=never)
    assert f"Delete {spoiled}" in str(refusal.value)


def test_a_download_that_is_not_the_reviewed_file_never_reaches_the_cache(cache: Path) -> None:
    wanted = listed_jars()[0]
    (cache / wanted.file_name).unlink()

    def forged(jars: list[Jar], into: Path) -> None:
        (into / wanted.path).parent.mkdir(parents=True)
        (into / wanted.path).write_bytes(b"forged")

    with pytest.raises(EmbeddedError, match="SHA-256"):
        class_path(cache, fetch=forged)
    assert not (cache / wanted.file_name).exists()


def test_only_what_is_missing_is_fetched(fetched: list[Path], cache: Path) -> None:
    wanted = listed_jars()[3]
    (cache / wanted.file_name).unlink()
    asked: list[Jar] = []

    def bring(jars: list[Jar], into: Path) -> None:
        asked.extend(jars)
        (into / wanted.path).parent.mkdir(parents=True)
        shutil.copyfile(fetched[3], into / wanted.path)

    assert (cache / wanted.file_name) in class_path(cache, fetch=bring)
    assert asked == [wanted]


def test_a_jar_knows_its_coordinates() -> None:
    jar = Jar(path="org/apache/kafka/kafka_2.13/4.3.1/kafka_2.13-4.3.1.jar", sha256="")
    assert jar.coordinates == ("org.apache.kafka", "kafka_2.13", "4.3.1")


def test_the_cache_follows_the_users_setting(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert default_cache().parent.parent == tmp_path
