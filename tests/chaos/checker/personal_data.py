"""9. No personal data that is marked as a canary appears in logs, metrics, dead-letter reasons, receipts or audit."""

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

from tests.chaos.checker.run import Run
from tests.chaos.checker.violation import Violation

_BEGINNING = 4
"""Characters by which a canary is first looked for; shorter ones are looked for as they are."""


class Canaries:
    """Finds the first of many texts in a line: their beginnings by one expression, and then the texts themselves."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._by_beginning: dict[str, list[str]] = defaultdict(list)
        for text in texts:
            for spelling in {text, json.dumps(text)[1:-1]}:
                if spelling:
                    self._by_beginning[spelling[:_BEGINNING]].append(spelling)
        beginnings = sorted(map(re.escape, self._by_beginning), key=len, reverse=True)
        self._beginning = re.compile("|".join(beginnings) or r"(?!)")

    def found_in(self, line: str) -> str | None:
        at = 0
        while (match := self._beginning.search(line, at)) is not None:
            for text in self._by_beginning[match.group()]:
                if line.startswith(text, match.start()):
                    return text
            at = match.start() + 1
        return None


def check(run: Run) -> Iterator[Violation]:
    canaries = Canaries(run.folder.document("canaries"))
    for file in [*run.folder.logs(), *sorted((run.folder.path / "metrics").glob("*"))]:
        for number, line in enumerate(_text(file), 1):
            yield from _free_of_it(canaries, line, {"file": file.name, "line": number})
    for row in run.folder.first.table("audit"):
        where = {"table": "audit", "case": row["case_id"], "entry": row["number"]}
        yield from _free_of_it(canaries, json.dumps(row), where)
    for row in run.folder.first.table("dead_letters"):
        where = {"table": "dead_letters", **{name: row[name] for name in ("topic", "partition", "offset", "part")}}
        yield from _free_of_it(canaries, row["detail"], where)
    for row in run.folder.first.table("decisions"):
        where = {"table": "decisions", "decision": row["decision_id"]}
        yield from _free_of_it(canaries, json.dumps(row["receipt"]), where)
    for row in run.folder.first.table("outbox"):
        if row["topic"] == "decision-receipts":
            yield from _free_of_it(canaries, row["payload"], {"topic": row["topic"], "event": row["event_id"]})
    for rejection in run.published.rejections:
        where = {"topic": rejection.topic, "partition": rejection.partition, "offset": rejection.offset}
        yield from _free_of_it(canaries, rejection.detail, {"announced": "dead-letters", **where})


def _free_of_it(canaries: Canaries, line: str, where: dict[str, object]) -> Iterator[Violation]:
    found = canaries.found_in(line)
    if found is not None:
        yield Violation(9, f"personal data: {found}", where)


def _text(file: Path) -> Iterator[str]:
    with file.open(encoding="utf-8", errors="replace") as text:
        yield from text
