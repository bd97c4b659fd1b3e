"""What the registry keeps for every executor: schema, time limit, surprises, and the size of a result."""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.strict_json import MAX_DEPTH, parse_json
from worker.adapters.executors.executor import (
    Action,
    ActionFailed,
    ActionRefused,
    ActionUnavailable,
    ActionUncertain,
    Examination,
    Executor,
    OnUnknown,
    Ran,
)
from worker.adapters.executors.plain_result import LARGEST_RESULT, plain_result
from worker.adapters.executors.registry import Registry

PRIVATE = "iban DE89 3704 0044"
MAIL = Action(name="mail", id="0", args={"to": "ada@example.org"})

Call = Callable[[Action, str], Awaitable[Any]]


class Mail(Executor):
    """Does what a test says, and counts."""

    args_schema: Mapping[str, Any] = {
        "type": "object",
        "properties": {
            "to": {"$ref": "#/$defs/address"},
            "lines": {"type": "array", "items": {"type": "string"}},
        },
        "required": ["to"],
        "additionalProperties": False,
        "$defs": {"address": {"type": "string", "format": "email", "maxLength": 40}},
    }
    on_unknown = OnUnknown.LOOK_UP

    def __init__(self, call: Call | None = None, problem: str | None = None, **common: Any) -> None:
        super().__init__(**{"name": "mail", "time_limit_s": 5.0, **common})
        self.call, self.problem = call, problem
        self.keys: list[str] = []
        self.closed = False

    async def run(self, action: Action, idempotency_key: str) -> Ran:
        self.keys.append(idempotency_key)
        return await self.call(action, idempotency_key) if self.call else Ran("message-1", {"ok": True})

    async def look_up(self, action: Action, idempotency_key: str) -> Ran | None:
        return await self.run(action, idempotency_key)

    async def examine(self, action: Action) -> Examination:
        await self.run(action, "-")
        return await super().examine(action)

    async def check(self) -> str | None:
        if self.problem == "breaks":
            raise KeyError(PRIVATE)
        return self.problem

    async def aclose(self) -> None:
        self.closed = True
        if self.problem == "breaks":
            raise OSError("it is gone")


async def for_ever(action: Action, key: str) -> Ran:
    await asyncio.Event().wait()
    raise AssertionError


async def test_what_an_executor_answers_is_the_result_of_the_action() -> None:
    mail = Mail()
    registry = Registry({"mail": mail})
    assert registry.runs("mail")
    assert not registry.runs("sql")
    assert registry.on_unknown("mail") is OnUnknown.LOOK_UP
    assert await registry.run(MAIL, "key-1") == Ran("message-1", {"ok": True})
    assert mail.keys == ["key-1"]
    assert (await registry.examine(MAIL)).args_schema == Mail.args_schema


@pytest.mark.parametrize(
    ("args", "says"),
    [
        ({}, "args: `to` is missing (`required`)"),
        ({"to": PRIVATE}, "args.to: must be written as email (`format`)"),
        ({"to": "a@b.example", "lines": ["x", 5]}, "args.lines[1]: must be of type string (`type`)"),
        (
            {"to": "a@b.example", "bc": PRIVATE},
            "args: takes nothing but `to`, `lines` (`additionalProperties`)",
        ),
    ],
)
async def test_arguments_that_break_the_schema_reach_no_executor_and_are_not_repeated(
    args: dict[str, Any], says: str
) -> None:
    mail = Mail()
    registry = Registry({"mail": mail})
    for ask in (registry.examine, lambda action: registry.run(action, "key-1")):
        with pytest.raises(ActionRefused) as refused:
            await ask(MAIL.model_copy(update={"args": args}))
        assert str(refused.value) == says
    assert mail.keys == []


async def test_an_executor_that_takes_too_long_may_have_run() -> None:
    registry = Registry({"mail": Mail(for_ever, time_limit_s=0.01)})
    with pytest.raises(ActionUncertain, match=r"mail did not answer within 0\.01 s"):
        await registry.run(MAIL, "key-1")


async def test_a_look_that_takes_too_long_says_nothing() -> None:
    registry = Registry({"mail": Mail(for_ever, time_limit_s=0.01)})
    with pytest.raises(ActionUnavailable):
        await registry.look_up(MAIL, "key-1")
    with pytest.raises(ActionUnavailable):
        await registry.examine(MAIL)


async def test_a_time_limit_of_the_executors_own_is_not_taken_for_ours() -> None:
    async def gives_up(action: Action, key: str) -> Ran:
        raise TimeoutError

    with pytest.raises(ActionUncertain, match="mail broke with TimeoutError"):
        await Registry({"mail": Mail(gives_up)}).run(MAIL, "key-1")


async def test_an_executor_that_breaks_may_have_run_and_nobody_reads_what_it_broke_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def breaks(action: Action, key: str) -> Ran:
        raise KeyError(PRIVATE)

    with caplog.at_level(logging.DEBUG), pytest.raises(ActionUncertain, match="mail broke with KeyError") as raised:
        await Registry({"mail": Mail(breaks)}).run(MAIL, "key-1")
    assert "test_executor_registry.py" in caplog.text
    assert PRIVATE not in f"{caplog.text} {raised.value}"
    assert raised.value.__cause__ is None


async def test_an_answer_that_is_none_counts_as_uncertain() -> None:
    async def answers_text(action: Action, key: str) -> str:
        return "sent"

    with pytest.raises(ActionUncertain, match="TypeError"):
        await Registry({"mail": Mail(answers_text)}).run(MAIL, "key-1")


@pytest.mark.parametrize("foreseen", [ActionRefused, ActionFailed, ActionUnavailable, ActionUncertain])
async def test_what_an_executor_says_of_a_failure_is_kept(foreseen: type[Exception]) -> None:
    async def fails(action: Action, key: str) -> Ran:
        raise foreseen("the mailbox is full")

    with pytest.raises(foreseen, match="the mailbox is full"):
        await Registry({"mail": Mail(fails)}).run(MAIL, "key-1")


@pytest.mark.parametrize("foreseen", [ActionFailed, ActionRefused, ActionUnavailable, ActionUncertain])
async def test_what_it_says_of_a_failure_fits_into_a_case(foreseen: type[Exception]) -> None:
    class OfItsOwn(foreseen):  # type: ignore[misc, valid-type]
        def __init__(self, code: int, says: str) -> None:
            super().__init__(f"{code} {says}")

    async def fails(action: Action, key: str) -> Ran:
        raise OfItsOwn(550, "a\x00b \udcff" + "x" * 1_000_000)

    with pytest.raises(foreseen) as told:
        await Registry({"mail": Mail(fails)}).run(MAIL, "key-1")
    assert str(told.value) == "550 ab ?" + "x" * (2000 - len("550 a0b ?"))


async def test_a_reference_fits_into_a_case() -> None:
    async def answers(action: Action, key: str) -> Ran:
        return Ran("a\x00b \udcff" + "x" * 1000)

    assert (await Registry({"mail": Mail(answers)}).run(MAIL, "key-1")).reference == "ab ?" + "x" * 195


async def test_what_a_reviewer_is_shown_fits_into_a_case() -> None:
    class Shows(Mail):
        async def examine(self, action: Action) -> Examination:
            return Examination(args_schema=dict(self.args_schema), shown={"head": "\x00" + "x" * 1_000_000})

    shown = (await Registry({"mail": Shows()}).examine(MAIL)).shown
    assert shown["truncated"] is True
    assert len(json.dumps(shown)) < LARGEST_RESULT


async def test_an_action_that_has_not_run_is_looked_up_as_none() -> None:
    async def nothing(action: Action, key: str) -> None:
        return None

    assert await Registry({"mail": Mail(nothing)}).look_up(MAIL, "key-1") is None


async def test_doctor_hears_of_each_executor_that_is_not_well() -> None:
    registry = Registry(
        {
            "mail": Mail(),
            "sql": Mail(name="sql", problem="the table is missing"),
            "erp": Mail(name="erp", problem="breaks"),
        }
    )
    assert await registry.check() == {"sql": "the table is missing", "erp": "erp broke with KeyError"}


async def test_an_executor_that_does_not_close_keeps_no_other_open() -> None:
    breaking, mail = Mail(problem="breaks"), Mail()
    await Registry({"erp": breaking, "mail": mail}).aclose()
    assert breaking.closed
    assert mail.closed


def test_a_large_result_is_cut_and_says_so() -> None:
    cut = plain_result({"rows": ["ä" * 100] * 200})
    assert cut["truncated"] is True
    assert cut["head"].startswith('{"rows":["ää')
    assert len(json.dumps(cut, ensure_ascii=False).encode()) <= LARGEST_RESULT


def test_a_result_that_no_case_could_hold_is_text() -> None:
    nested: Any = "core"
    for _ in range(MAX_DEPTH + 1):
        nested = [nested]
    assert plain_result(nested)["truncated"] is True
    assert plain_result(nested[0]) == nested[0]
    assert plain_result({"price": float("nan")}) == {"truncated": True, "head": '{"price":NaN}'}
    assert plain_result({"count": 2**64}) == {"truncated": True, "head": '{"count":18446744073709551616}'}
    assert plain_result("lone \ud800") == {"truncated": True, "head": '"lone ?"'}
    assert plain_result("a\x00b") == {"truncated": True, "head": '"a\\u0000b"'}
    assert plain_result({b"key"}) == {"truncated": True, "head": "{b'key'}"}


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text() | st.integers(), inner, max_size=4),
)


@given(result=anything)
def test_whatever_an_executor_answers_the_case_can_hold_it(result: Any) -> None:
    held = plain_result(result)
    assert parse_json(json.dumps(held, ensure_ascii=False).encode()) == held
