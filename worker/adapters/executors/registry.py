"""All executors of this worker, by the name of the action; it keeps what they need not keep themselves."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from schemas.values import Action
from worker.adapters.executors.executor import Executor
from worker.adapters.executors.plain_result import plain_result, plain_text
from worker.adapters.policy.args_problems import ArgsCheck
from worker.application.ports.executors import (
    ActionFailed,
    ActionRefused,
    ActionUnavailable,
    ActionUncertain,
    Examination,
    OnUnknown,
    Ran,
)

_LONGEST_REFERENCE, _LONGEST_PROBLEM = 200, 2000
"""Characters. What went wrong is read by a person, and stands in the case, in events and in the outcome."""

log = logging.getLogger(__name__)

_FORESEEN = (ActionRefused, ActionFailed, ActionUnavailable, ActionUncertain)


class Registry:
    """The executor port. `aclose` closes all executors."""

    def __init__(self, executors: Mapping[str, Executor] | None = None) -> None:
        """Each by its name; their schemas were checked by whoever read the configuration."""
        self._executors = dict(executors or {})
        self._problem_with = {name: ArgsCheck(executor.args_schema) for name, executor in self._executors.items()}

    @property
    def names(self) -> Iterable[str]:
        return self._executors.keys()

    def runs(self, name: str) -> bool:
        return name in self._executors

    def on_unknown(self, name: str) -> OnUnknown:
        return self._executors[name].on_unknown

    async def examine(self, action: Action) -> Examination:
        executor = self._checked(action)
        async with _limited(executor, ActionUnavailable):
            seen = await executor.examine(action)
            return seen.model_copy(update={"shown": plain_result(seen.shown)})

    async def run(self, action: Action, idempotency_key: str) -> Ran:
        executor = self._checked(action)
        async with _limited(executor, ActionUncertain):
            return _bounded(await executor.run(action, idempotency_key))

    async def look_up(self, action: Action, idempotency_key: str) -> Ran | None:
        executor = self._executors[action.name]
        async with _limited(executor, ActionUnavailable):
            found = await executor.look_up(action, idempotency_key)
            return None if found is None else _bounded(found)

    async def check(self) -> dict[str, str]:
        """What is wrong, by the name of the executor; nothing when all are well."""
        found = await asyncio.gather(*(_checked(executor) for executor in self._executors.values()))
        return {name: problem for name, problem in zip(self._executors, found, strict=True) if problem is not None}

    async def aclose(self) -> None:
        for name, executor in self._executors.items():
            try:
                await executor.aclose()
            except Exception as error:
                log.warning("executor %s did not close: %s", name, type(error).__name__)

    def _checked(self, action: Action) -> Executor:
        """Before everything else: no executor sees arguments that break its schema."""
        problem = self._problem_with[action.name](action.args)
        if problem is not None:
            raise ActionRefused(problem)
        return self._executors[action.name]


@asynccontextmanager
async def _limited(executor: Executor, unclear: type[Exception]) -> AsyncIterator[None]:
    """Raises `unclear` when the executor takes too long or breaks. What it broke with may quote the arguments: the log
    has its type and its place, and a person sees neither."""
    limit = asyncio.timeout(executor.time_limit_s)
    try:
        async with limit:
            yield
    except _FORESEEN as problem:
        kind = next(foreseen for foreseen in _FORESEEN if isinstance(problem, foreseen))
        raise kind(plain_text(str(problem), _LONGEST_PROBLEM)) from problem
    except Exception as error:
        if limit.expired():
            raise unclear(f"{executor.name} did not answer within {executor.time_limit_s:g} s") from None
        log.error("executor %s broke with %s at %s", executor.name, type(error).__name__, _place(error))  # noqa: TRY400
        raise unclear(f"{executor.name} broke with {type(error).__name__}") from None


async def _checked(executor: Executor) -> str | None:
    try:
        async with _limited(executor, ActionUnavailable):
            return await executor.check()
    except _FORESEEN as problem:
        return str(problem)


def _place(error: Exception) -> str:
    """The innermost place of the traceback: `file.py:line`."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else "?"


def _bounded(ran: Any) -> Ran:
    if not isinstance(ran, Ran):
        raise TypeError(f"an executor answers with Ran, and not with {type(ran).__name__}")
    reference = None if ran.reference is None else plain_text(str(ran.reference), _LONGEST_REFERENCE)
    return Ran(reference, plain_result(ran.result))
