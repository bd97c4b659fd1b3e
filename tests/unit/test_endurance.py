"""The arithmetic of an endurance run: it can say that something grows, that nothing does, and that it cannot tell."""

import json
import math
import random
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.endurance import RESULTS, judge_again, read_arguments
from benchmarks.endurance_capacity import capacity
from benchmarks.endurance_cases import (
    LONGEST_WAIT_S,
    SHORTEST_WAIT_S,
    Kind,
    decided,
    kind_of,
    raised,
    wait_s,
)
from benchmarks.endurance_judgement import bytes_a_case, criteria, dead_row_share, judge
from benchmarks.endurance_report import markdown_row, table_of_rows, write
from benchmarks.endurance_samples import Sample
from benchmarks.endurance_trend import Verdict, after_warm_up, peaks, redundancy, trend_of
from benchmarks.load import BenchmarkFailed
from schemas.events import ExceptionRaised, ReviewDecided

PAGE = (Path(__file__).parents[2] / "docs" / "benchmarks.md").read_text(encoding="utf-8")
MIB = 2**20
EVERY_S = 15.0
HOURS = [turn / 60 for turn in range(1, 61)]
RATE = 60.0

NAMES = (
    *("worker_rss_bytes", "worker_private_bytes", "connections_private_bytes", "kafka_rss_bytes", "database_bytes"),
    *("worker_handles", "worker_threads", "connections", "consumer_lag", "owed_cases", "inbox_unfinished"),
    *("outbox_unpublished", "intents_unfinished", "open_cases", "checkpoint_rows", "load_average"),
    *("worker_cpu_ms_a_case", "postgres_cpu_ms_a_case", "foreign_cpu_share"),
    *("automatic_p50_ms", "question_p50_ms", "decision_p50_ms"),
    *("automatic_p99_ms", "question_p99_ms", "decision_p99_ms"),
)


def noise(seed: int = 1) -> random.Random:
    return random.Random(seed)  # noqa: S311


def resembling_neighbours(seed: int, resemblance: float = 0.9) -> list[float]:
    """Noise around 100 in which each sample keeps most of what the one before was off by. It has no trend."""
    chance, off, values = noise(seed), 0.0, []
    for _ in HOURS:
        off = resemblance * off + chance.gauss(0, 1)
        values.append(100 + off)
    return values


Series = Callable[[int], float]


def constant(value: float) -> Series:
    return lambda _: value


def rows(turn: int) -> float:
    """Of a table that keeps what each case leaves: 60 a second."""
    return 1000.0 + 900 * turn


def samples(**series: Series) -> list[Sample]:
    """An hour, a sample a minute, in which every number is 100, but for those that are given as a function of the
    quarter minute; `live`, `dead` and `size` are of the table `cases`, `checkpoint_size` of `checkpoints`."""

    def at(turn: int) -> Sample:
        def value(name: str, ordinary: Series) -> float:
            return series.get(name, ordinary)(turn)

        cases = {
            "live": value("live", rows),
            "dead": value("dead", constant(100)),
            "bytes": value("size", lambda turn: 4000 * rows(turn)),
            "autovacuums": 0.0,
        }
        size = value("checkpoint_size", constant(2 * MIB))
        checkpoints = {"live": 300.0, "dead": 50.0, "bytes": size, "autovacuums": float(turn)}
        numbers = {name: value(name, constant(100)) for name in NAMES}
        return Sample(turn * EVERY_S, numbers, {"cases": cases, "checkpoints": checkpoints})

    return [at(turn) for turn in range(4, 241, 4)]


def verdicts(run: list[Sample]) -> dict[str, Verdict]:
    return {judged.name: judged.verdict for judged in judge(run, RATE)}


def test_the_slope_of_a_straight_line_is_found() -> None:
    trend = trend_of(HOURS, [100 + 7 * hour for hour in HOURS])
    assert (trend.slope, trend.low, trend.high) == pytest.approx((7, 7, 7))


def test_what_never_changes_is_flat_whatever_is_allowed() -> None:
    trend = trend_of(HOURS, [12.0] * len(HOURS))
    assert (trend.level, trend.slope, trend.verdict(0)) == (12, 0, Verdict.FLAT)


def test_a_few_wild_samples_do_not_move_the_slope() -> None:
    values = [100.0] * len(HOURS)
    values[55:57] = [5000.0] * 2
    trend = trend_of(HOURS, values)
    assert trend.slope == pytest.approx(0, abs=0.01)
    assert trend.verdict(1) is Verdict.FLAT


@pytest.mark.parametrize("seed", range(20))
def test_scatter_without_a_trend_is_flat(seed: int) -> None:
    chance = noise(seed)
    assert trend_of(HOURS, [100 + chance.gauss(0, 1) for _ in HOURS]).verdict(2) is Verdict.FLAT


@pytest.mark.parametrize("seed", range(20))
def test_a_leak_in_the_scatter_is_seen(seed: int) -> None:
    chance = noise(seed)
    leaking = [100 + 10 * hour + chance.gauss(0, 2) for hour in HOURS]
    assert trend_of(HOURS, leaking).verdict(2) is Verdict.GROWS


def test_the_interval_holds_the_true_slope_about_as_often_as_it_says() -> None:
    """95 of 100; less than 88 would be chance in one of a thousand times."""
    chance, held = noise(), 0
    for _ in range(100):
        trend = trend_of(HOURS[::2], [5 * hour + chance.gauss(0, 1) for hour in HOURS[::2]])
        held += trend.low <= 5 <= trend.high
    assert held >= 88


def test_samples_that_resemble_their_neighbours_are_no_trend() -> None:
    """Of a hundred series without a trend at most a few may be called growing: the interval allows 2.5 on one side."""
    grows = sum(trend_of(HOURS, resembling_neighbours(seed)).verdict(0.5) is Verdict.GROWS for seed in range(100))
    assert grows <= 8


def test_a_sample_like_the_one_before_says_less() -> None:
    chance = noise()
    assert redundancy([chance.gauss(0, 1) for _ in HOURS]) < 2
    assert redundancy(resembling_neighbours(1)) > 4
    assert redundancy([3.0] * 20) == 1


def test_a_few_scattered_samples_decide_nothing() -> None:
    chance = noise()
    few = HOURS[:10]
    assert trend_of(few, [100 + chance.gauss(0, 5) for _ in few]).verdict(1) is Verdict.UNDECIDED


def test_too_few_samples_are_refused_with_what_to_do() -> None:
    with pytest.raises(ValueError, match="7 samples are too few for a trend, which takes 8: run longer"):
        trend_of(HOURS[:7], [1.0] * 7)


def test_a_staircase_of_handles_grows() -> None:
    assert trend_of(HOURS, [20.0 + math.floor(5 * hour) for hour in HOURS]).verdict(1) is Verdict.GROWS


def test_the_warm_up_does_not_count() -> None:
    warming = samples(worker_rss_bytes=lambda turn: MIB * min(150.0, 100 + turn))
    assert verdicts(warming)["worker_rss_bytes"] is Verdict.FLAT
    assert after_warm_up([0, 1, 2, 3, 4], 0.25) == 1


def test_a_quiet_hour_is_flat_throughout() -> None:
    assert set(verdicts(samples()).values()) == {Verdict.FLAT}


@pytest.mark.parametrize(
    ("name", "leak"),
    [
        ("worker_rss_bytes", lambda turn: MIB * (150 + turn * 0.05)),
        ("worker_private_bytes", lambda turn: MIB * (150 + turn * 0.05)),
        ("connections_private_bytes", lambda turn: MIB * (60 + turn * 0.05)),
        ("worker_handles", lambda turn: 30.0 + turn // 40),
        ("worker_threads", lambda turn: 8.0 + turn // 40),
        ("connections", lambda turn: 9.0 + turn // 60),
        ("consumer_lag", lambda turn: 3.0 * turn),
        ("owed_cases", lambda turn: 3.0 * turn),
        ("inbox_unfinished", lambda turn: 1.0 * turn),
        ("outbox_unpublished", lambda turn: 1.0 * turn),
        ("intents_unfinished", lambda turn: 1.0 * turn),
        ("open_cases", lambda turn: 200.0 + turn),
        ("checkpoint_rows", lambda turn: 2000.0 + turn),
    ],
)
def test_each_leak_is_named_and_nothing_else_is(name: str, leak: Callable[[int], float]) -> None:
    said = verdicts(samples(**{name: leak}))
    assert [series for series, verdict in said.items() if verdict is not Verdict.FLAT] == [name]


def test_tables_of_threads_must_keep_their_size() -> None:
    said = verdicts(samples(checkpoint_size=lambda turn: MIB * (2 + turn * 0.01)))
    assert [name for name, verdict in said.items() if verdict is not Verdict.FLAT] == ["checkpoints: bytes"]


def test_tables_that_keep_their_rows_may_grow_with_them_and_not_faster() -> None:
    said = verdicts(samples(size=lambda turn: 4000 * rows(turn) * (1 + turn / 500)))
    assert [name for name, verdict in said.items() if verdict is not Verdict.FLAT] == ["cases: bytes a row"]


def test_dead_rows_that_vacuum_takes_away_again_are_flat_and_others_grow() -> None:
    sawtooth = samples(dead=lambda turn: (turn % 20) / 100 * rows(turn))
    neglected = samples(dead=lambda turn: turn / 240 * rows(turn))
    assert verdicts(sawtooth)["dead_row_share, peaks"] is Verdict.FLAT
    assert verdicts(neglected)["dead_row_share, peaks"] is Verdict.GROWS


def test_a_series_is_seen_by_its_peaks() -> None:
    assert peaks([0, 1, 2, 3, 4], [5, 1, 2, 0, 0], span=2) == [5, 5, 5, 2, 2]
    assert peaks([0, 1, 2], [5, 1, 2], span=0) == [5, 1, 2]


def test_dead_rows_are_counted_beside_the_living() -> None:
    assert dead_row_share(samples(live=lambda _: 550.0, dead=lambda _: 50.0)[0]) == pytest.approx(100 / 950)


def test_what_the_machine_changes_is_told_and_fails_nothing() -> None:
    slower = judge(samples(decision_p50_ms=lambda turn: 20.0 + turn), RATE)
    told = [judged for judged in slower if judged.verdict is not Verdict.FLAT]
    assert [(judged.name, judged.required) for judged in told] == [("decision_p50_ms", False)]


def test_empty_tables_are_not_judged() -> None:
    tables = {"cases": {"live": 5000.0, "dead": 0.0}, "intents": {"live": 0.0, "dead": 0.0}}
    names = [criterion.name for criterion in criteria(RATE, tables)]
    assert [name for name in names if ": " in name] == ["cases: bytes a row"]


def test_growth_by_design_is_told_for_each_case() -> None:
    run = samples(size=lambda turn: 1000.0 * turn, database_bytes=lambda turn: 1500.0 * turn)
    assert bytes_a_case(run, [10 * turn for turn in range(4, 241, 4)]) == {"database": 150, "cases": 100}


def test_the_file_holds_what_the_table_shows(tmp_path: Path) -> None:
    run, path = samples(), tmp_path / "endurance.json"
    judgements = judge(run, RATE)
    write(path, {"rate_per_s": RATE}, run, list(range(len(run))), judgements)
    found = json.loads(path.read_text())
    assert found["series"]["worker_handles"] == [100.0] * 60
    assert found["judgements"] == [judged.as_row() for judged in judgements]
    assert len(path.read_text().splitlines()) < 1000


def test_a_file_is_judged_again_as_it_was(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    leaking, path = samples(worker_handles=lambda turn: 30.0 + turn // 40), tmp_path / "endurance.json"
    write(path, {"rate_per_s": RATE}, leaking, list(range(len(leaking))), judge(leaking, RATE))
    assert judge_again(path) == 1
    rows = [markdown_row(row) for row in json.loads(path.read_text())["judgements"]]
    assert capsys.readouterr().out.splitlines()[2:] == rows
    assert [row.split(" | ")[-1] for row in rows if "worker_handles" in row] == ["grows |"]


def test_an_hour_without_growth_passes(tmp_path: Path) -> None:
    path = tmp_path / "endurance.json"
    write(path, {"rate_per_s": RATE}, samples(), list(range(60)), judge(samples(), RATE))
    assert judge_again(path) == 0


@pytest.mark.parametrize("text", ["{}", "no JSON", '{"series": {}, "tables": {}}'])
def test_a_file_that_is_no_result_is_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "other.json"
    path.write_text(text)
    with pytest.raises(BenchmarkFailed, match=r"other.json is no result of an endurance run"):
        judge_again(path)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (["--minutes", "1"], "too few samples to judge: 3 or more"),
        (["--skip-finding"], "leaves no figure to take half of: give --rate"),
    ],
)
def test_a_run_that_could_say_nothing_is_refused(
    given: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        read_arguments(given)
    assert says in capsys.readouterr().err


def test_what_is_sustainable_is_what_was_concluded_over_all_the_time() -> None:
    found = capacity([(500, 5.0), (300, 5.0), (1000, 10.0)])
    assert (found.sustainable, found.slowest, found.fastest) == (90, 60, 100)


def test_a_worker_that_concludes_nothing_is_no_measure() -> None:
    with pytest.raises(BenchmarkFailed, match="concluded nothing"):
        capacity([(0, 5.0), (0, 5.0)])


def test_of_ten_cases_four_need_nobody_five_are_approved_and_one_is_refused() -> None:
    for begin in (0, 70, 12_340):
        kinds = Counter(kind_of(number) for number in range(begin, begin + 10))
        assert kinds == {Kind.AUTOMATIC: 4, Kind.APPROVED: 5, Kind.REJECTED: 1}


def test_people_take_seconds_and_never_longer_than_said() -> None:
    waits = [wait_s(number) for number in range(1000)]
    assert (min(waits), max(waits)) == (SHORTEST_WAIT_S, LONGEST_WAIT_S)


@pytest.mark.parametrize("number", range(10))
def test_the_load_speaks_the_published_language(number: int) -> None:
    exception = ExceptionRaised.model_validate_json(raised(number)[1])
    answer = ReviewDecided.model_validate_json(decided(number, "0197b1de-0000-7000-8000-000000000000")[1])
    assert exception.amount is not None
    assert (exception.amount.amount_minor < 4_000) is (kind_of(number) is Kind.AUTOMATIC)
    assert (str(answer.verdict) == "reject") is (kind_of(number) is Kind.REJECTED)


def test_a_row_shows_units_that_people_read() -> None:
    row = {
        "series": "worker_rss_bytes",
        "verdict": "flat",
        "required": True,
        "level": 150.5 * MIB,
        "slope_per_hour": 0.25 * MIB,
        "interval_95": [-0.5 * MIB, 1.0 * MIB],
        "allowed_per_hour": 3.01 * MIB,
    }
    assert markdown_row(row) == "| worker_rss_bytes | 150.50 MiB | 0.25 MiB (-0.50 MiB to 1.00 MiB) | 3.01 MiB | flat |"


@pytest.mark.parametrize(
    ("file", "grows", "undecided"),
    [
        ("endurance", set(), {"connections_private_bytes", "approvals: bytes a row"}),
        ("endurance-busy", set(), set()),
        (
            "endurance-without-a-backlog",
            {"worker_rss_bytes", "worker_private_bytes", "connections_private_bytes"},
            {"checkpoint_rows", "inbox: bytes a row"},
        ),
    ],
)
def test_the_verdicts_on_file_follow_from_its_samples(
    file: str, grows: set[str], undecided: set[str], capsys: pytest.CaptureFixture[str]
) -> None:
    path = RESULTS.with_stem(file)
    assert judge_again(path) == bool(grows | undecided)
    rows = json.loads(path.read_text())["judgements"]
    assert capsys.readouterr().out.splitlines()[2:] == [markdown_row(row) for row in rows]
    found = {
        verdict: {row["series"] for row in rows if row["required"] and row["verdict"] == verdict} for verdict in Verdict
    }
    assert (found[Verdict.GROWS], found[Verdict.UNDECIDED]) == (grows, undecided)


def test_the_page_cites_the_figures_on_file() -> None:
    found = json.loads(RESULTS.read_text())
    section = PAGE.split("\n## An hour\n")[1].split("\n## ")[0]
    assert table_of_rows(found["judgements"]) in section
    assert f"{found['cases']:,} cases" in section
    assert all(f"{size:,}" in section for name, size in found["kept_bytes_a_case"].items() if size > 1)


def test_the_commands_on_the_page_are_understood() -> None:
    said = re.findall(r"^python -m benchmarks.endurance (.+?)(?: +#.*)?$", PAGE, re.MULTILINE)
    assert [read_arguments(words.split()).minutes for words in said] == [60, 60]
