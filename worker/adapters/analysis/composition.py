"""Makes the analyst that the settings name."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

from worker.adapters.analysis.budget import Budget
from worker.adapters.analysis.rules import RuleAnalyst
from worker.application.ports.analysis import Analyst

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

AnalystKind = Literal["rules", "model"]


class ModelUnavailable(Exception):
    """The chat model cannot be used as it is configured. The message says what to install, name or set."""


def make_analyst(
    kind: AnalystKind,
    *,
    model: str | None,
    time_limit_s: float,
    tokens_per_day: int,
    calls_per_minute: int,
    monotonic: Callable[[], float],
) -> Analyst:
    """`model` is `provider:name` as LangChain's `init_chat_model` takes it. Nothing is called yet.

    Raises ModelUnavailable.
    """
    rules = RuleAnalyst()
    if kind == "rules":
        return rules
    if not model:
        raise ModelUnavailable("a model as analyst needs its name; set SIGNOFF_ANALYST_MODEL to provider:name")
    chat_model = _chat_model(model)
    from worker.adapters.analysis.chat_model import ModelAnalyst  # noqa: PLC0415 - LangChain, half a second

    try:
        return ModelAnalyst(
            chat_model,
            name=model,
            fallback=rules,
            time_limit_s=time_limit_s,
            budget=Budget(calls_per_minute=calls_per_minute, tokens_per_day=tokens_per_day, monotonic=monotonic),
            monotonic=monotonic,
        )
    except NotImplementedError as error:
        raise ModelUnavailable(f"the model {model} gives no structured output; name one that calls tools") from error


def _chat_model(name: str) -> "BaseChatModel":
    try:
        from langchain.chat_models import init_chat_model  # noqa: PLC0415 - of the extra `model`
    except ImportError as error:
        raise ModelUnavailable('langchain is not installed; install it with `pip install "signoff[model]"`') from error
    try:
        return init_chat_model(name)
    except ImportError as error:
        raise ModelUnavailable(
            f"the package of the provider of {name} is not installed; install it beside signoff[model], "
            "such as langchain-openai for openai:…"
        ) from error
    except Exception as error:  # of any type: it is a provider's
        # Its text may quote the environment, keys among it: only its type is told.
        raise ModelUnavailable(
            f"the model {name} cannot be made ({type(error).__name__}); give provider:name as LangChain's "
            "init_chat_model takes it, and set the provider's key in its own variable, such as OPENAI_API_KEY"
        ) from None
