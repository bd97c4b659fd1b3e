"""What a run met, in figures: for its summary, and for the campaign's coverage."""

from collections import Counter, defaultdict
from math import ceil
from typing import Any

from tests.chaos.checker.run import Run

_SIGKILL = {9, "9", "SIGKILL", "KILL"}


def counts(run: Run) -> dict[str, Any]:
    faults = Counter(row["fault"] for row in run.harness if row["event"] == "fault-began")
    hostile = [answer for answer in run.answers if answer.is_hostile]
    return {
        "cases": len(run.cases),
        "cases_by_state": _sorted(Counter(case.state for case in run.cases.values())),
        "records": len(run.records),
        "records_sent_in_doubt": sum(each.place is None for each in (*run.requests, *run.answers)),
        "sent_by_class": _sorted(Counter(each.kind for each in run.requests)),
        "dead_letters_by_reason": _sorted(Counter(each.reason for each in run.dead_letters.values())),
        "decisions_by_code": _sorted(Counter(each.code for each in run.decisions.values())),
        "decisions_valid": len(run.answers) - len(hostile),
        "decisions_hostile": len(hostile),
        "hostile_by_class": _sorted(Counter(each.kind for each in hostile)),
        "events_published": len({each.event_id for each in run.published.appearances}),
        "events_delivered_again": _delivered_again(run),
        "payments_asked": run.books.asked,
        "payments_ambiguous": run.books.ambiguous,
        "payments_moved": len(run.books.movements),
        "payments_failed_later": sum(not each.took_effect for each in run.books.movements),
        "actions_run": len(run.effects),
        "database_restarts": faults["database-restart"] + faults["database-kill"],
        "broker_restarts": faults["broker-restart"] + faults["broker-kill"],
        "kills": sum(_was_killed(row) for row in run.harness),
        "faults": sum(faults.values()),
        "faults_by_kind": _sorted(faults),
        "failpoints": _failpoints(run),
        "recovery_s": _recovery(run),
    }


def _delivered_again(run: Run) -> int:
    return len(run.published.appearances) - len({each.event_id for each in run.published.appearances})


def _was_killed(row: dict[str, Any]) -> bool:
    return row["event"] == "worker-ended" and row.get("signal") in _SIGKILL


def _failpoints(run: Run) -> list[dict[str, Any]]:
    """By failpoint, fault and state of the cases at work there; a hit without a case at work has the state `none`."""
    hits: Counter[tuple[str, str, str]] = Counter()
    for row in run.harness:
        if row["event"] == "failpoint":
            for state in row.get("states") or ["none"]:
                hits[row["failpoint"], row["fault"], state] += 1
    return [
        {"failpoint": failpoint, "fault": fault, "state": state, "hits": number}
        for (failpoint, fault, state), number in sorted(hits.items())
    ]


def _recovery(run: Run) -> dict[str, dict[str, float]]:
    """Seconds from a fault's beginning until all that it held up was taken in and worked on, by nearest rank."""
    taken: dict[str, list[float]] = defaultdict(list)
    for row in run.harness:
        if row["event"] == "recovered":
            taken[row["after"]].append(float(row["seconds"]))
    return {kind: _figures(sorted(seconds)) for kind, seconds in sorted(taken.items())}


def _figures(seconds: list[float]) -> dict[str, float]:
    return {
        "count": len(seconds),
        "p50": seconds[ceil(len(seconds) * 0.5) - 1],
        "p99": seconds[ceil(len(seconds) * 0.99) - 1],
        "max": seconds[-1],
    }


def _sorted(counter: Counter[str]) -> dict[str, int]:
    return dict(sorted(counter.items()))
