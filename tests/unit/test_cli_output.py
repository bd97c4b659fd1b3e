"""What strangers wrote is shown, and cannot do anything."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from worker.cli.output import in_utc, in_words, instant, print_fields, print_table, printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain, €, 漢字", "plain, €, 漢字"),
        ("\x1b[2J", "\\x1b[2J"),
        ("a\nb\r\tc\0", "a\\nb\\r\\tc\\x00"),
        ("\u202egnp", "\\u202egnp"),
        ("\u200b\ufeff\u2028", "\\u200b\\ufeff\\u2028"),
        ("\ud800", "\\ud800"),
        ("\U000e0041", "\\U000e0041"),
    ],
)
def test_nothing_invisible_reaches_the_terminal(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_times_are_in_utc_wherever_they_come_from() -> None:
    time = datetime(2026, 1, 31, 1, 30, tzinfo=timezone(timedelta(hours=5, minutes=30)))
    assert in_utc(time) == "2026-01-30 20:00:00Z"
    assert instant(time) == "2026-01-30T20:00:00Z"
    assert datetime.fromisoformat(instant(time) or "") == time.astimezone(UTC)
    assert (in_utc(None), instant(None)) == ("", None)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 s"), (59.9, "59 s"), (240, "4 min"), (3661, "1 h 1 min"), (90_000, "1 d 1 h"), (86_401, "1 d 1 s")],
)
def test_a_span_is_told_in_its_two_largest_units(seconds: float, words: str) -> None:
    assert in_words(timedelta(seconds=seconds)) == words


def test_several_values_of_a_field_stand_one_below_the_other(capsys: pytest.CaptureFixture[str]) -> None:
    print_fields([("why", ["over 100.00 USD", "a\nb"]), ("empty", ""), ("risk", "high")])
    lines = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    assert lines == ["why   over 100.00 USD", "      a\\nb", "risk  high"]


def test_a_pipe_gets_whole_ids_however_long(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(("id", "why"), [("E" * 200, "w" * 300)], long=("why",))
    out = capsys.readouterr().out
    assert "E" * 200 in out
    assert "w" * 300 in out
