"""`signoff simulate`: weeks of somebody's traffic in seconds, with the real use cases."""

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.builders import refund_event
from tests.commands import signoff
from worker.adapters.policy.loading import load_policy
from worker.simulation.house import simulate
from worker.simulation.report import LevelFigures, Report, report_on
from worker.simulation.staff import StaffError, parse_staff
from worker.simulation.traffic import Arrival, TrafficError, load_traffic

PAGE = (Path(__file__).parents[2] / "docs" / "simulate.md").read_text(encoding="utf-8")
MONDAY = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
ONE_MANAGER = "staff:\n  manager: {people: 1, handling: 10m}\n  director: {people: 1, handling: 15m}\n"


def arrival(number: int, amount_minor: int, at: datetime = MONDAY) -> Arrival:
    event = refund_event(
        f"EXC-{number}",
        amount_minor,
        order_id=f"ORD-{number}",
        customer_id=f"CUST-{number}",
        order={"captured": {"amount_minor": 500_000, "currency": "USD"}},
        customer={"tier": "standard"},
    )
    return Arrival(at, event)


async def reported(staff: str, *traffic: Arrival) -> Report:
    return report_on(await simulate(load_policy(), parse_staff(staff.encode(), "staff.yaml"), traffic))


def level(report: Report, name: str) -> LevelFigures:
    return next(figures for figures in report.levels if figures.level == name)


async def test_what_waits_is_answered_one_after_the_other() -> None:
    report = await reported(ONE_MANAGER, arrival(1, 5_000), arrival(2, 15_000), arrival(3, 150_000))
    assert (report.cases, report.automatic, report.outcomes) == (3, 1, {"executed": 3})
    manager, director = level(report, "manager"), level(report, "director")
    assert (manager.asked, manager.answered, manager.lapsed, manager.longest_s) == (2, 2, 0, 1_200.0)
    assert (director.asked, director.longest_s) == (1, 900.0)


async def test_people_answer_in_their_hours() -> None:
    office = (
        "calendars:\n  office: {timezone: UTC, days: [mon, tue, wed, thu, fri], hours: 09:00-17:00}\n"
        "staff:\n  manager: {people: 1, handling: 10m, calendar: office}\n"
    )
    report = await reported(office, arrival(1, 15_000, MONDAY + timedelta(hours=9)))
    assert level(report, "manager").longest_s == timedelta(hours=15, minutes=10).total_seconds()


async def test_what_nobody_answers_lapses_as_the_policy_says() -> None:
    report = await reported("staff:\n  director: {people: 1, handling: 1h}\n", arrival(1, 15_000))
    assert (level(report, "manager").lapsed, level(report, "manager").p50_s) == (1, None)
    assert level(report, "director").answered == 1
    assert report.outcomes == {"executed": 1}


async def test_who_approves_nothing_rejects_everything() -> None:
    report = await reported("staff:\n  manager: {people: 3, handling: 1m, approves: 0%}\n", arrival(1, 15_000))
    assert report.outcomes == {"rejected": 1}


async def test_the_same_seed_gives_the_same_answers() -> None:
    staff = "staff:\n  manager: {people: 2, handling: 7m, approves: 50%}\n"
    traffic = [arrival(number, 15_000, MONDAY + timedelta(minutes=number)) for number in range(40)]
    one, again = await reported(staff, *traffic), await reported(staff, *traffic)
    assert one == again
    assert set(one.outcomes) == {"executed", "rejected"}


@pytest.mark.parametrize(
    ("staff", "told"),
    [
        ("staff:\n  manager: {people: 0, handling: 10m}\n", "s.yaml:2: `people` of role manager, 0, is not a whole"),
        ("staff:\n  manager: {people: 1}\n", "s.yaml:2: role manager has no `handling`"),
        ("staff:\n  manager: {people: 1, handling: 1m, calendar: x}\n", "has an unknown calendar `x`"),
        ("staff:\n  manager: {people: 1, handling: 1m, approves: most}\n", "is not a share such as 90%"),
        ("people: 3\n", "s.yaml:1: the file has an unknown key `people`"),
        ("", "s.yaml"),
    ],
)
def test_a_staff_file_that_cannot_be_used_is_told_with_its_lines(staff: str, told: str) -> None:
    with pytest.raises(StaffError) as refused:
        parse_staff(staff.encode(), "s.yaml")
    assert told in str(refused.value)


def test_bad_lines_of_traffic_are_named(tmp_path: Path) -> None:
    file = tmp_path / "traffic.jsonl"
    good = {"at": "2026-01-05T09:00:00Z", "event": refund_event()}
    lines: list[Any] = [good, {"at": "2026-01-05", "event": refund_event()}, {**good, "event": {"kind": "refund"}}]
    file.write_text("\n".join(map(json.dumps, lines)) + "\nnonsense\n")
    with pytest.raises(TrafficError) as refused:
        load_traffic(file)
    told = str(refused.value).splitlines()
    assert [line.partition(": ")[0] for line in told] == [f"{file}:{number}" for number in (2, 3, 4)]
    assert "the worker would refuse it: SCHEMA_INVALID" in told[1]


def test_the_page_runs(tmp_path: Path) -> None:
    (line,) = re.findall(r"^```json\n(.*?)\n```$", PAGE, re.MULTILINE | re.DOTALL)
    (staff,) = re.findall(r"^```yaml\n(.*?)\n```$", PAGE, re.MULTILINE | re.DOTALL)
    (tmp_path / "january.jsonl").write_text(line)
    (tmp_path / "staff.yaml").write_text(staff)
    ran = signoff(
        "simulate", "--staff", str(tmp_path / "staff.yaml"), "--traffic", str(tmp_path / "january.jsonl"), "--json"
    )
    assert ran.code == 0, ran.err
    assert (ran.json["cases"], ran.json["automatic"], ran.json["levels"][0]["level"]) == (1, 0, "manager")


def test_a_report_reads_as_the_page_shows_it(tmp_path: Path) -> None:
    (shown,) = re.findall(r"^```text\n(.*?)\n```$", PAGE, re.MULTILINE | re.DOTALL)
    traffic = [arrival(1, 5_000), arrival(2, 15_000), arrival(3, 150_000)]
    lines = [json.dumps({"at": one.at.isoformat(), "event": one.event}) for one in traffic]
    (tmp_path / "t.jsonl").write_text("\n".join(lines))
    (tmp_path / "s.yaml").write_text(ONE_MANAGER)
    ran = signoff("simulate", "--staff", str(tmp_path / "s.yaml"), "--traffic", str(tmp_path / "t.jsonl"))
    assert ran.code == 0, ran.err
    assert [line.split() for line in ran.out.splitlines()] == [line.split() for line in shown.splitlines()]


def test_a_file_that_is_not_there_is_named() -> None:
    ran = signoff("simulate", "--staff", "nowhere.yaml", "--traffic", "nowhere.jsonl")
    assert (ran.code, "nowhere.yaml: cannot be read" in ran.err) == (1, True)
