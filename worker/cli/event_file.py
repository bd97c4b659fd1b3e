"""One event in a file, read exactly as the worker would read it from the topic."""

from datetime import UTC, datetime

from schemas.catalogue import ORDER_EXCEPTIONS
from schemas.cloudevents import Header, Refused, parse_json
from worker.application.follow_run import available_of
from worker.application.messages import Raised
from worker.application.open_case import amount_problem
from worker.application.ports.store import CaseView
from worker.cli.failure import Failure
from worker.domain.order_exception import Facts
from worker.translation.inbound import Accepted, Record, read

_STRUCTURED: list[Header] = [("content-type", b"application/cloudevents+json")]


def facts_in(content: bytes, name: str) -> Facts:
    """What a policy looks at, from the event alone: no order is looked up.

    Raises Failure for what the worker would refuse, with the reason of the dead letter.
    """
    (part,) = read(Record(ORDER_EXCEPTIONS.name, 0, 0, None, content, _headers(content)))
    if not isinstance(part, Accepted):
        raise Failure(f"{name}: the worker would refuse this: {part.reason}: {part.detail}")
    if not isinstance(part.message, Raised):
        raise Failure(f"{name}: this withdraws an exception, there is nothing to judge; give an exception.raised event")
    raised = part.message
    facts = Facts(exception=raised.exception, order=raised.order, customer=raised.customer)
    problem = amount_problem(facts)
    if problem is not None:
        reason, detail = problem
        raise Failure(f"{name}: the worker would refuse this: {reason}: {detail}")
    return facts.model_copy(update={"available": available_of(facts, CaseView(now=datetime.now(UTC)))})


def _headers(content: bytes) -> list[Header]:
    """A file has no headers: an object with CloudEvents' own attributes is an event in structured mode."""
    try:
        document = parse_json(content)
    except Refused:
        return []
    structured = isinstance(document, dict) and "specversion" in document
    return _STRUCTURED if structured else []
