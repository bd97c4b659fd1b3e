"""`signoff cases recover`: the way out for a case that is stuck, sent as an event, which the worker judges."""

import asyncio
from datetime import UTC, datetime
from typing import Annotated
from uuid import uuid4

import typer

from worker.application.messages import Recovery
from worker.cli.answers import RECEIPT_WAIT_S, Timeout, Wait, conclude, filled, send_one
from worker.cli.cases import load_case
from worker.cli.connection import settings_for_command
from worker.cli.failure import Failure
from worker.cli.output import AsJson
from worker.domain.approval import Receipt
from worker.settings import Settings
from worker.translation.recovering import IllegibleRecovery, recovery_record


def recover(
    name: Annotated[str, typer.Argument(metavar="ID", help="An exception id, a case id or an approval id.")],
    by: Annotated[str, typer.Option("--by", help="Who wants it to go on, such as user:ines; it goes on record.")],
    reason: Annotated[str, typer.Option(help="Why; the reviewer who is asked is shown it.")] = "",
    wait: Wait = True,
    timeout: Timeout = RECEIPT_WAIT_S,
    as_json: AsJson = False,
) -> None:
    """Put a stuck case before a person again. Nothing is executed before that person approves; a case that is not
    stuck is left as it is. Exit code 0: a person is asked (or sent, with --no-wait); 1: refused, or no receipt came.
    """
    recovery_id, by = str(uuid4()), filled(by, "--by")
    receipt = asyncio.run(_recover(settings_for_command(), name, recovery_id, by, reason, timeout if wait else None))
    conclude(receipt, recovery_id, as_json)


async def _recover(
    settings: Settings, name: str, recovery_id: str, by: str, reason: str, wait_s: float | None
) -> Receipt | None:
    """The receipt; None when it is not waited for. Raises Failure when none came in time."""
    exception = (await load_case(settings, name)).case.exception
    recovery = Recovery(recovery_id, exception.exception_id, by, reason)
    try:
        record = recovery_record(recovery, exception.order_id or exception.exception_id, datetime.now(UTC))
    except IllegibleRecovery as problem:
        raise Failure(f"the recovery would be refused: {problem}") from problem
    return await send_one(settings, record, recovery_id, wait_s, name)
