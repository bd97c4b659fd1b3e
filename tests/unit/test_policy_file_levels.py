"""What a policy file says of its levels is what a case is asked by."""

from datetime import timedelta

import pytest

from schemas.values import OnTimeout, Verdict
from tests.builders import usd
from tests.unit.policy_files import FIRST_LEVEL_LINE, a_file, a_level, a_policy, a_refund, a_rule, chain
from worker.adapters.policy.loading import parse_policy
from worker.adapters.policy.problems import PolicyError
from worker.domain.approval_policy import Cap
from worker.domain.deadlines import DeadlineAction, DeadlineStep

ALL_SIX = "approve, reject, modify, choose, escalate, request_changes"
DIRECTOR = a_level("director")
OFFICE = "\n".join(
    ("calendars:", "  office:", "    timezone: Europe/Berlin", "    days: [mon, tue]", "    hours: 09:00-17:00")
)


def problems_of(*levels: str, rules: tuple[str, ...] = (), top: tuple[str, ...] = ()) -> list[tuple[int, str]]:
    with pytest.raises(PolicyError) as refused:
        parse_policy(a_file(*levels, rules=rules, top=top).encode(), "shop.yaml")
    return [(problem.line, f"{problem.reason}; {problem.advice}") for problem in refused.value.problems]


class TestALevelByItself:
    def test_what_is_left_out_is_one_person_for_any_amount_without_reminders(self) -> None:
        level = a_policy(a_level("manager")).levels["manager"]
        assert (level.quorum, level.ceiling, level.escalates_to) == (1, None, None)
        assert (level.deadlines, level.calendar, level.cap, level.part) == ((), None, None, None)

    def test_all_six_verdicts_of_the_contract_may_be_allowed(self) -> None:
        level = a_policy(a_level("manager", verdicts=ALL_SIX), DIRECTOR).levels["manager"]
        assert set(level.allowed_verdicts) == set(Verdict)

    def test_a_quorum_is_a_number_of_people(self) -> None:
        assert a_policy(a_level("board", "quorum: 2")).levels["board"].quorum == 2

    @pytest.mark.parametrize("quorum", ["0", "21", "-1", "two", "1.5"])
    def test_a_quorum_that_is_no_number_of_people_is_refused(self, quorum: str) -> None:
        ((line, told),) = problems_of(a_level("board", f"quorum: {quorum}"))
        assert line == FIRST_LEVEL_LINE + 5
        assert told == f"`quorum` of level board, {quorum}, is not a whole number from 1 to 20; mend it"

    def test_a_reviewers_cap_is_an_amount_in_a_time(self) -> None:
        level = a_policy(a_level("manager", "reviewer_cap: 10000.00 USD per 24h")).levels["manager"]
        assert level.cap == Cap(amount=usd(1_000_000), window=timedelta(days=1))

    @pytest.mark.parametrize(
        ("cap", "message"),
        [
            ("10000.00 USD", "is not an amount in a time, such as 10000.00 USD per 24h"),
            ("a lot per 24h", "is not an amount such as 1000.00 USD"),
            ("1.00 USD per day", "is not a duration such as 24h"),
            ("1.00 CHF per 24h", "is in CHF, which has no rate; give it in USD, or add the rate"),
        ],
    )
    def test_a_cap_that_says_something_else_is_refused(self, cap: str, message: str) -> None:
        ((line, told),) = problems_of(a_level("manager", f"reviewer_cap: {cap}"))
        assert line == FIRST_LEVEL_LINE + 5
        assert message in told


class TestDeadlines:
    def test_the_steps_are_those_of_the_file_in_the_order_of_time(self) -> None:
        level = a_policy(
            a_level(
                "manager",
                "deadlines:",
                "  - {at: 75%, do: hand_over, to: duty-managers}",
                "  - {at: 12.5%, do: remind}",
            )
        ).levels["manager"]
        assert level.deadlines == (
            DeadlineStep(at=0.125, do=DeadlineAction.REMIND),
            DeadlineStep(at=0.75, do=DeadlineAction.HAND_OVER, to="duty-managers"),
        )

    @pytest.mark.parametrize(
        ("step", "message"),
        [
            ("{at: 0%, do: remind}", "is not a part of the time such as 50%, above 0% and below 100%"),
            ("{at: 100%, do: remind}", "above 0% and below 100%"),
            (
                "{at: 0.5, do: remind}",
                "`at` of deadline 1 of level manager, 0.5, is not a part of the time such as 50%",
            ),
            ("{at: 12h, do: remind}", "is not a part of the time"),
            ("{do: remind}", "deadline 1 of level manager has no `at`"),
            ("{at: 50%}", "deadline 1 of level manager has no `do`"),
            ("{at: 50%, do: remined}", "does `remined`; did you mean remind?"),
            ("{at: 50%, do: approve}", "does `approve`; known are: remind, hand_over"),
            ("{at: 50%, do: escalate}", "does `escalate`; write `on_timeout: escalate`, which ends the time"),
            ("{at: 50%, do: reject}", "write `on_timeout: reject`"),
            ("{at: 50%, do: hand_over}", "hands over to nobody; add `to: …`"),
            ("{at: 50%, do: hand_over, to: manager}", "hands over to the level's own role `manager`"),
            ("{at: 50%, do: remind, to: duty}", "has `to`, and does `remind`; `to` goes with hand_over only"),
            ("{at: 50%, do: remind, who: duty}", "has an unknown key `who`"),
            ("remind", "deadline 1 of level manager is not a mapping"),
        ],
    )
    def test_a_step_that_cannot_be_is_refused_at_its_line(self, step: str, message: str) -> None:
        told = problems_of(a_level("manager", "deadlines:", f"  - {step}"))
        assert {line for line, _ in told} == {FIRST_LEVEL_LINE + 6}
        assert message in " ".join(reason for _, reason in told)

    def test_the_same_step_twice_is_refused(self) -> None:
        steps = ("deadlines:", "  - {at: 50%, do: remind}", "  - {at: 50.0%, do: remind}")
        ((line, told),) = problems_of(a_level("manager", *steps))
        assert line == FIRST_LEVEL_LINE + 7
        assert "is the one on line 10 again; keep one of them" in told

    def test_a_level_counts_the_time_of_its_calendar(self) -> None:
        calendar = a_policy(a_level("manager", "calendar: office"), top=(OFFICE,)).levels["manager"].calendar
        assert calendar is not None
        assert (calendar.timezone, calendar.days) == ("Europe/Berlin", (0, 1))

    def test_an_unknown_calendar_is_refused(self) -> None:
        levels = a_level("manager", "calendar: ofice"), a_level("director", "calendar: office")
        rules = (a_rule("levels: [manager, director]"),)
        ((line, told),) = problems_of(*levels, rules=rules, top=(OFFICE,))
        assert (line, told) == (
            FIRST_LEVEL_LINE + 5,
            "level manager names an unknown calendar `ofice`; did you mean office?",
        )

    def test_a_calendar_that_no_level_names_is_refused(self) -> None:
        ((line, told),) = problems_of(a_level("manager"), top=(OFFICE,))
        assert line == a_file(a_level("manager"), top=(OFFICE,)).splitlines().index("  office:") + 1
        assert told == "calendar office is named by no level; use it or remove it"

    def test_a_deadline_that_would_never_come_is_refused(self) -> None:
        level = a_level("manager", "calendar: office").replace("24h", "366d")
        ((line, told),) = problems_of(level, top=(OFFICE,))
        assert line == FIRST_LEVEL_LINE + 2
        assert told.startswith("`due_in` of level manager, 366d, is too much working time of calendar office; shorten")


class TestLadders:
    TIERS = (
        a_level("manager", "ceiling: 1000.00 USD", "escalates_to: director", on_timeout="escalate"),
        a_level("director", "ceiling: 10000.00 EUR", "escalates_to: vp"),
        a_level("vp"),
    )
    RATES = ("rates: {EUR: 1.10}",)

    def test_a_ladder_climbs_by_ceilings_in_the_currencies_of_the_policy(self) -> None:
        policy = a_policy(*self.TIERS, top=self.RATES)
        assert policy.levels["manager"].on_timeout is OnTimeout.ESCALATE
        assert chain(policy, a_refund(usd(100_000))) == ["manager"]
        assert chain(policy, a_refund(usd(1_100_000))) == ["manager", "director"]
        assert chain(policy, a_refund(usd(1_100_001))) == ["manager", "director", "vp"]

    def test_amounts_are_compared_by_the_policys_rates_and_rounded_up(self) -> None:
        policy = a_policy(*self.TIERS, top=self.RATES)
        assert policy.compare(usd(110), "EUR") == 100
        assert policy.compare(usd(111), "EUR") == 101
        assert policy.compare(usd(1), "CHF") is None

    @pytest.mark.parametrize(
        ("levels", "line", "message"),
        [
            (
                (a_level("manager", "escalates_to: direktor"), DIRECTOR),
                9,
                "`escalates_to` of level manager names an unknown level `direktor`; did you mean director?",
            ),
            (
                (a_level("manager", "escalates_to: manager"),),
                9,
                "`escalates_to` goes in a circle: manager → manager; end it at a level that escalates to nobody",
            ),
            (
                (
                    a_level("manager", "escalates_to: director"),
                    a_level("director", "escalates_to: vp"),
                    a_level("vp", "escalates_to: manager"),
                ),
                9,
                "goes in a circle: manager → director → vp → manager",
            ),
            (
                (a_level("vp"), a_level("manager", "escalates_to: vp")),
                14,
                "level manager escalates to vp, which signs before it; move vp below manager",
            ),
            (
                (a_level("manager", "ceiling: 1000.00 USD"),),
                9,
                "level manager has a ceiling and no `escalates_to`: nobody could sign more than 1000.00 USD",
            ),
            (
                (
                    a_level("manager", "ceiling: 1000.00 USD", "escalates_to: director"),
                    a_level("director", "ceiling: 5000.00 USD"),
                ),
                16,
                "level director has a ceiling and no `escalates_to`: nobody could sign more than 5000.00 USD",
            ),
            (
                (
                    a_level("manager", "ceiling: 1000.00 USD", "escalates_to: director"),
                    a_level("director", "ceiling: 1000.00 USD", "escalates_to: vp"),
                    a_level("vp"),
                ),
                16,
                "the ceiling of level director, 1000.00 USD, is not above 1000.00 USD, that of manager before it",
            ),
            (
                (a_level("manager", "ceiling: 1000.00 CHF", "escalates_to: director"), DIRECTOR),
                9,
                "`ceiling` of level manager is in CHF, which has no rate; give it in USD, or add the rate",
            ),
            (
                (a_level("manager", "ceiling: 1,000 USD", "escalates_to: director"), DIRECTOR),
                9,
                "`ceiling` of level manager, 1,000 USD, is not an amount such as 1000.00 USD; mend it",
            ),
            (
                (a_level("manager", on_timeout="escalate"),),
                7,
                "level manager escalates when its time is over, and has no `escalates_to`",
            ),
            (
                (a_level("manager", verdicts="approve, escalate"),),
                8,
                "level manager allows `escalate`, and no level stands above it",
            ),
        ],
        ids=lambda value: value[:40] if isinstance(value, str) else "",
    )
    def test_a_ladder_that_leads_nowhere_is_refused(self, levels: tuple[str, ...], line: int, message: str) -> None:
        ((place, told),) = problems_of(*levels)
        assert place == line
        assert message in told

    def test_a_level_below_a_cycle_is_not_told_as_well(self) -> None:
        told = problems_of(
            a_level("clerk", "escalates_to: manager"),
            a_level("manager", "escalates_to: director"),
            a_level("director", "escalates_to: manager"),
        )
        assert [line for line, _ in told] == [15]

    def test_escalation_by_verdict_needs_only_a_level_further_down(self) -> None:
        policy = a_policy(a_level("manager", verdicts="approve, escalate"), DIRECTOR)
        assert list(policy.levels) == ["manager", "director"]


class TestReach:
    def test_a_level_that_nothing_leads_to_is_refused(self) -> None:
        ((line, told),) = problems_of(a_level("manager"), DIRECTOR)
        assert line == 9
        assert (
            told == "level director is never asked: no rule names it and no level escalates to it; use it or remove it"
        )

    def test_a_level_above_a_level_that_nothing_leads_to_is_refused_as_well(self) -> None:
        told = problems_of(a_level("manager"), a_level("director", "escalates_to: vp"), a_level("vp"))
        assert [line for line, _ in told] == [9, 15]

    def test_the_first_level_is_asked_by_the_built_in_rules(self) -> None:
        policy = a_policy(a_level("manager"), DIRECTOR, rules=(a_rule("level: director"),))
        assert list(policy.levels) == ["manager", "director"]

    def test_whom_a_reviewer_may_name_is_reached(self) -> None:
        levels = a_level("manager", "escalates_to: director", verdicts="approve, escalate"), DIRECTOR, a_level("legal")
        assert list(a_policy(*levels).levels) == ["manager", "director", "legal"]
