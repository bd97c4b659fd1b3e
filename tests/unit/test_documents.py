"""The documents say what is there: their links lead somewhere, and the tests and failpoints that they name exist."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from worker.application import failpoints

ROOT = Path(__file__).parents[2]
ADRS = ROOT / "docs" / "adr"
RELIABILITY = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")

LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


def documents() -> Iterator[Path]:
    """Every Markdown file of ours: hidden folders hold the environment and what programs left behind."""
    yield from ROOT.glob("*.md")
    for folder in ROOT.iterdir():
        if folder.is_dir() and not folder.name.startswith(".") and folder.name not in ("build", "dist"):
            yield from folder.rglob("*.md")


def text_of(document: Path) -> str:
    """Without blocks of code: what stands there is no link."""
    return FENCE.sub("", document.read_text(encoding="utf-8"))


def headings(document: Path) -> set[str]:
    """The anchors that a Markdown page gives its headings."""
    found = re.findall(r"^#+ (.+)$", text_of(document), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in found}


def broken_links(document: Path) -> Iterator[str]:
    for target in LINK.findall(text_of(document)):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        there = (document.parent / path).resolve() if path else document
        if not there.exists() or (anchor and anchor not in headings(there)):
            yield target


@pytest.mark.parametrize("document", sorted(documents()), ids=lambda path: str(path.relative_to(ROOT)))
def test_every_relative_link_leads_somewhere(document: Path) -> None:
    assert list(broken_links(document)) == []


def test_a_link_to_nowhere_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "# Here\n[a](gone.md) [b](#here) [c](page.md#there) [d](https://example.org)\n```\n[e](no.md)\n```\n"
    )
    assert list(broken_links(page)) == ["gone.md", "page.md#there"]


def test_every_failpoint_is_explained() -> None:
    explained = set(re.findall(r"^\| `([a-z.-]+)` \|", RELIABILITY, re.MULTILINE))
    assert explained == failpoints.NAMES


def test_every_test_that_is_called_as_a_witness_exists() -> None:
    named = set(re.findall(r"`(test_\w+)`", RELIABILITY))
    there = {
        name
        for file in (ROOT / "tests").rglob("test_*.py")
        for name in re.findall(r"def (test_\w+)\(", file.read_text(encoding="utf-8"))
    }
    assert named
    assert named - there == set()


def test_every_decision_is_in_the_index() -> None:
    index = (ADRS / "README.md").read_text(encoding="utf-8")
    listed = [target for target in LINK.findall(index) if target.endswith(".md")]
    assert sorted(listed) == sorted(page.name for page in ADRS.glob("*.md") if page.name != "README.md")


@pytest.mark.parametrize("page", sorted(ADRS.glob("*.md")), ids=lambda path: path.name)
def test_a_decision_fits_on_a_page(page: Path) -> None:
    assert len(page.read_text(encoding="utf-8").split()) <= 700


@pytest.mark.parametrize("command", ["make up", "make test"])
def test_a_newcomer_finds_the_two_commands(command: str) -> None:
    target = command.removeprefix("make ")
    assert re.search(rf"^{command}\b", README, re.MULTILINE)
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.parametrize("document", sorted(documents()), ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_promises_delivery_that_no_system_can_give(document: Path) -> None:
    """It is effectively once: an event may come again, with the same id."""
    assert "exactly once" not in " ".join(document.read_text(encoding="utf-8").lower().split())
