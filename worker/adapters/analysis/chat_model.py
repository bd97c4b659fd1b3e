"""A chat model as analyst: asked within limits of time, money and patience, and never alone.

The rules are asked first, every time. What the model says is joined to that; when it says nothing usable, the rules'
opinion stands and says in a word why.
"""

import asyncio
import hashlib
import json
from collections import OrderedDict
from collections.abc import Callable
from enum import StrEnum
from typing import Any

import langsmith
from langchain_core.language_models import BaseChatModel
from langchain_core.runnables import Runnable

from worker.adapters.analysis.answer import Answer
from worker.adapters.analysis.budget import Budget
from worker.adapters.analysis.circuit_breaker import CircuitBreaker
from worker.adapters.analysis.joining import joined
from worker.adapters.analysis.prompt import messages_about, shown_of
from worker.application.ports.analysis import Analyst
from worker.domain.analysis import Opinion
from worker.domain.order_exception import Facts

AT_ONCE = 8
"""Calls under way at the same time; those above wait for a place within their own time limit."""

REMEMBERED = 1_000
"""Answers kept, by what the model was shown: a case that lost a race is computed anew, and should not pay again."""

FAILURES = 5
REST_S = 30.0

_CHARACTERS_PER_TOKEN = 3
_TOKENS_OF_AN_ANSWER = 400
_TOKENS_AROUND = 1_000
"""Of the system text and the schema."""


class Problem(StrEnum):
    """Why the model said nothing. Closed on purpose: an exception's own text may hold what was sent."""

    TIMED_OUT = "timed out"
    FAILED = "call failed"
    INVALID = "invalid answer"
    BUDGET_SPENT = "budget spent"
    RESTING = "resting after failures"


class ModelAnalyst:
    """`name` is what the opinion is signed with, after `model:`. `fallback` is the analyst whose doubts always count.

    Raises NotImplementedError at once when the model cannot give structured output.
    """

    def __init__(
        self,
        model: BaseChatModel,
        *,
        name: str,
        fallback: Analyst,
        time_limit_s: float,
        budget: Budget,
        monotonic: Callable[[], float],
    ) -> None:
        self._asked: Runnable[Any, Any] = model.with_structured_output(Answer, include_raw=True)
        self._by = f"model:{name}"
        self._fallback = fallback
        self._time_limit_s = time_limit_s
        self._breaker = CircuitBreaker(failures=FAILURES, rest_s=REST_S, monotonic=monotonic)
        self._places = asyncio.Semaphore(AT_ONCE)
        self._remembered: OrderedDict[str, Answer] = OrderedDict()
        self.budget = budget

    async def analyse(self, facts: Facts) -> Opinion:
        rules = await self._fallback.analyse(facts)
        try:
            answer = await self._answer(shown_of(facts))
            if isinstance(answer, Answer):
                return joined(rules, answer, facts, by=self._by)
        except Exception:  # whatever a provider's library raises must not hold up a case
            answer = Problem.FAILED
        return rules.model_copy(update={"problem": str(answer)})

    async def _answer(self, shown: dict[str, Any]) -> Answer | Problem:
        text = json.dumps(shown)
        digest = hashlib.sha256(text.encode()).hexdigest()
        if digest in self._remembered:
            self._remembered.move_to_end(digest)
            return self._remembered[digest]
        estimate = len(text) // _CHARACTERS_PER_TOKEN + _TOKENS_AROUND + _TOKENS_OF_AN_ANSWER
        if not self._breaker.lets_through():
            return Problem.RESTING
        if not self.budget.take(estimate):
            return Problem.BUDGET_SPENT
        answer = await self._in_time(self._ask(shown, estimate))
        if answer in (Problem.TIMED_OUT, Problem.FAILED):
            self._breaker.failed()
            return answer
        # An answer that is no form may be the doing of one text; it must not silence the model for all the others.
        self._breaker.succeeded()
        if not isinstance(answer, Answer):
            return answer
        self._remembered[digest] = answer
        if len(self._remembered) > REMEMBERED:
            self._remembered.popitem(last=False)
        return answer

    async def _in_time(self, call: Any) -> Answer | Problem:
        """Waits for the time limit and no longer: a library that does not heed its cancellation is left behind."""
        task = asyncio.ensure_future(call)
        task.add_done_callback(_take_note)
        try:
            await asyncio.wait({task}, timeout=self._time_limit_s)
        finally:
            abandoned = not task.done()
            task.cancel()
        if abandoned:
            return Problem.TIMED_OUT
        if task.cancelled() or task.exception() is not None:
            return Problem.FAILED
        answered: Answer | Problem = task.result()
        return answered

    async def _ask(self, shown: dict[str, Any], estimate: int) -> Answer | Problem:
        async with self._places:
            # Order data goes to no tracing service because LANGSMITH_TRACING happens to be set.
            with langsmith.tracing_context(enabled=False):
                answered = await self._asked.ainvoke(messages_about(shown))
        used = (getattr(answered["raw"], "usage_metadata", None) or {}).get("total_tokens")
        if isinstance(used, int):
            self.budget.settle(estimate, used)
        parsed = answered["parsed"]
        return parsed if isinstance(parsed, Answer) else Problem.INVALID


def _take_note(task: asyncio.Future[Any]) -> None:
    """An exception that nobody retrieves would be logged whole by asyncio, with whatever it quotes."""
    if not task.cancelled():
        task.exception()
