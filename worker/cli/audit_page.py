"""The audit report as one page of HTML: nothing is loaded from anywhere, and it can be printed."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from schemas.values import Money, Verdict
from worker.adapters.postgres.audit_report import DecisionOnRecord, Period
from worker.adapters.postgres.audit_trail import Verification
from worker.cli.audit_figures import LISTED, Figures
from worker.cli.output import in_utc, in_words, printable

TEMPLATE = "audit_page.html"
BROKEN_SHOWN = 20


def render(period: Period, at: datetime, figures: Figures, verification: Verification | None) -> Iterator[str]:
    """The page in parts. `verification` is None when the audit trail was not checked."""
    return (
        _environment()
        .get_template(TEMPLATE)
        .generate(
            period=period,
            at=at,
            figures=figures,
            people=[tally for _, tally in sorted(figures.people.items())],
            levels=[tally for _, tally in sorted(figures.levels.items())],
            verdicts=list(Verdict),
            verification=verification,
            broken_shown=BROKEN_SHOWN,
            listed=LISTED,
            changed=changed,
            proposed=proposed,
        )
    )


def proposed(decision: DecisionOnRecord) -> str:
    """What would have been done: `refund 150.00 USD original_method`."""
    proposal = decision.proposal or {}
    parts = (proposal.get("action"), _money(proposal.get("amount")), proposal.get("method"))
    return " ".join(str(part) for part in parts if part)


def changed(decision: DecisionOnRecord) -> str:
    """What a person made of the proposal, in words."""
    match decision.verdict:
        case Verdict.MODIFY:
            return "; ".join(f"{name}: {_in_words(value)}" for name, value in sorted((decision.changes or {}).items()))
        case Verdict.CHOOSE:
            chosen = decision.choice
            return f"alternative {chosen}" if isinstance(chosen, int) else f"method: {chosen}"
        case _:
            return "nothing is done"


def _in_words(value: Any) -> str:
    return str(_money(value)) if isinstance(value, dict) and value.keys() == Money.model_fields.keys() else str(value)


def _money(value: dict[str, Any] | None) -> Money | str:
    return Money.model_construct(**value) if value else ""


def _duration(seconds: float | None) -> str:
    return "" if seconds is None else in_words(timedelta(seconds=seconds))


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader(__package__, "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        # Strangers wrote much of it: what would turn the direction of a line is shown escaped, as on a terminal.
        finalize=lambda value: printable(value) if type(value) is str else value,
    )
    environment.filters |= {"utc": in_utc, "duration": _duration}
    return environment
