"""A decision or a command from words on a command line, and how they become records."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import uuid4

from producer_scripts.command_line import wrong_usage
from producer_scripts.envelopes import Mode, Outgoing, outgoing
from producer_scripts.failure import Failure
from producer_scripts.json_input import read_values
from producer_scripts.raising import arguments, given, money
from producer_scripts.validation import validated_as
from schemas.catalogue import REVIEW_DECISIONS
from schemas.events import MOST_DECISIONS, ReviewDecided, batches_of

Said = Mapping[str, Any]
"""The data of a decision, or of a command."""


def new_decision_id() -> str:
    return str(uuid4())


def choice_of(text: str | None) -> int | str | None:
    """The index of an alternative, or the name of a method."""
    if text is None:
        return None
    return int(text) if text.isascii() and text.isdecimal() else text


def edited_action(text: str) -> dict[str, Any]:
    """`0={"to": "bob"}`: the number of an action, and all of its arguments. Raises ValueError with a sentence."""
    number, equals, given_arguments = text.partition("=")
    number = number.strip()
    if not equals or not (number.isascii() and number.isdecimal()):
        raise ValueError(f'{text!r} is no edit; write NUMBER={{"key": "value"}}, counted from 0')
    return {"index": int(number), "args": arguments(given_arguments, f"action {int(number)}")}


def decision_of(flags: Said) -> Said:
    """The decision that the flags of `submit_decision` say; what was not said is left out."""
    changes = {
        "method": flags["method"],
        "customer_message": flags["message"],
        "approved_actions": flags["approved_actions"],
    }
    with wrong_usage():
        amount = money(flags["amount"], flags["currency"])
        changes["edited_actions"] = [edited_action(text) for text in flags["edited_actions"] or ()]
    return _addressed(
        flags,
        {
            "decision_id": flags["decision_id"] or new_decision_id(),
            "verdict": flags["verdict"],
            "reviewer": _person(flags),
            "changes": given({"amount": amount, **changes}),
            "choice": choice_of(flags["choice"]),
            "escalate_to": flags["escalate_to"],
            "review_hash": flags["review_hash"],
        },
    )


def command_of(flags: Said) -> Said:
    """The command that the flags of `submit_decision` say."""
    return _addressed(
        flags,
        {
            "command_id": flags["command_id"] or new_decision_id(),
            "command": flags["command"],
            "by": _person(flags),
            "to": flags["to"],
        },
    )


def checked(said: Said) -> Said:
    """Raises BadParameter, which is exit code 2, for what is neither a decision nor a command."""
    with wrong_usage():
        REVIEW_DECISIONS.model(None, said).model_validate(said)
    return said


def read_said(path: str) -> list[Said]:
    """The decisions and commands of a file; `{"decisions": [...]}` counts as those that are in it.

    Raises Failure that names the place and field of each mistake.
    """
    values = read_values(path, members="decisions")
    validated_as(values, lambda data: REVIEW_DECISIONS.model(None, data))
    return [value.data for value in values]


def _addressed(flags: Said, said: Said) -> Said:
    about = {"approval_id": flags["approval"], "exception_id": flags["exception"]}
    return given({**about, "level": flags["level"], **said, "comment": flags["comment"]})


def _person(flags: Said) -> Said:
    return given({"id": flags["reviewer"], "roles": flags["roles"]})


def key_of(said: Said, order_id: str | None = None) -> str:
    """The contract's key is the order id; who does not know it takes what the decision names."""
    return str(order_id or said.get("exception_id") or said.get("approval_id"))


def id_of(said: Said) -> str:
    """The `decision_id` of the receipt that will answer it."""
    return str(said.get("decision_id") or said.get("command_id")).strip()


def records_of(said: Sequence[Said], *, mode: Mode, order_id: str | None = None) -> list[Outgoing]:
    """A record for each; its type is what a plain record with the same data would be taken for."""
    return [outgoing(REVIEW_DECISIONS.model(None, one).TYPE, one, key=key_of(one, order_id), mode=mode) for one in said]


def batch_of(decisions: Sequence[Said], *, mode: Mode, order_id: str | None = None) -> Outgoing:
    """One record for all of them. Raises Failure when they are too many, or are not decisions."""
    if any(REVIEW_DECISIONS.model(None, one) is not ReviewDecided for one in decisions):
        raise Failure("--as-one-event: a batch holds decisions only, and there is a command; leave the option out")
    first, *rest = batches_of(decisions)
    if rest:
        raise Failure(
            f"--as-one-event: one event holds {MOST_DECISIONS} decisions, or fewer long ones; the first {len(first)} "
            f"of these {len(decisions)} fit; leave the option out, or cut the file"
        )
    return outgoing(ReviewDecided.TYPE, {"decisions": first}, key=key_of(first[0], order_id), mode=mode)
