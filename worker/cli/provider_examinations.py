"""What the doctor looks at besides broker and database: those whom the settings choose. Nothing is raised.

The adapters are imported when they are looked at: most installations use few of them, and some take long to load.
"""

import asyncio

from worker.adapters.analysis.composition import ModelUnavailable
from worker.adapters.notifications.problems import NotificationsError
from worker.adapters.payments.errors import PaymentsError
from worker.cli.examinations import Finding, in_order
from worker.cli.named_failures import PATIENCE_S
from worker.settings import Settings


def examine_notifications(settings: Settings) -> list[Finding]:
    """Nothing is said where nobody is to be notified."""
    file = settings.notifications_file
    if file is None:
        return []
    from worker.adapters.notifications.configuration import load_notifications  # noqa: PLC0415 - slow: httpx, SMTP

    try:
        found = load_notifications(file)
    except NotificationsError as error:
        mend = "correct the file; docs/notifications.md describes it"
        return [Finding("notifications file", ok=False, says=str(error), mend=mend)]
    return [in_order("notifications file", f"{file}: {', '.join(found.endpoints)}")]


async def examine_executors(settings: Settings) -> list[Finding]:
    """The file, and then each executor's own counterpart. Nothing is said where every action is its agent's to run."""
    file = settings.executors_file
    if file is None:
        return []
    from worker.adapters.executors.configuration import ExecutorsError, load_executors  # noqa: PLC0415 - slow: sqlglot

    try:
        registry = load_executors(file, lease_s=settings.lease_s)
    except ExecutorsError as error:
        mend = "correct the file; docs/tool-calls.md describes it"
        return [Finding("executors file", ok=False, says=str(error), mend=mend)]
    try:
        async with asyncio.timeout(PATIENCE_S):
            problems = await registry.check()
    except TimeoutError:
        problems = {"executors": f"do not say within {PATIENCE_S} s whether all is well"}
    finally:
        await registry.aclose()
    mend = "mend it, or take the executor out of the file: its actions are then their agent's to run"
    return [
        in_order("executors file", f"{file}: {', '.join(registry.names)}"),
        *(Finding(f"executor {name}", ok=False, says=says, mend=mend) for name, says in problems.items()),
    ]


def examine_analyst(settings: Settings) -> list[Finding]:
    """No call is made. Nothing is said where rules do the analysis."""
    if settings.analyst == "rules":
        return []
    from worker.bootstrap.providers import analyst_of  # noqa: PLC0415 - slow: LangGraph

    try:
        analyst_of(settings)
    except ModelUnavailable as error:
        says, _, mend = str(error).partition("; ")
        return [Finding("analyst", ok=False, says=says, mend=mend)]
    return [in_order("analyst", f"{settings.analyst_model}, and rules where it does not answer")]


async def examine_payments(settings: Settings) -> list[Finding]:
    """The address only: a look into a provider's books would need a payment."""
    if settings.payments != "http":
        return []
    from worker.adapters.payments.http import HttpPayments  # noqa: PLC0415 - slow: httpx

    try:
        await HttpPayments(settings.payments_url or "").aclose()
    except PaymentsError as error:
        return [Finding("payments", ok=False, says=str(error), mend="correct it; docs/payments.md says how")]
    return [in_order("payments", "by the service that SIGNOFF_PAYMENTS_URL names")]
