"""One answer to one action, in the words of LangChain's human-in-the-loop middleware or of Agent Inbox.

Agent Inbox mixes the two when it answers the middleware: `{"type": "reject", "args": "no"}`. So a word is read in
either vocabulary, and the text or the edit that goes with it is looked for under either name.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, TypeAdapter, ValidationError
from pydantic_core import PydanticCustomError

from schemas.events import rejection_of
from schemas.values import MAX_AMOUNT_MINOR, Changes, Currency, Money, PayoutMethod, ReceiptCode, Text, Value, Verdict
from worker.domain.resolution import MOVES_MONEY

Said = Mapping[str, Any]


class UnreadableAnswer(ValueError):
    """`problem` is for whoever sent the answer: it names the place, and repeats nothing of what was sent. `code` is
    that of the receipt."""

    def __init__(self, problem: str, code: ReceiptCode = ReceiptCode.INVALID) -> None:
        super().__init__(problem)
        self.problem = problem
        self.code = code


@dataclass(frozen=True, slots=True)
class HitlAnswer:
    """What a reviewer says. `changes` and `choice` are raw, as in a decision of our own shape.

    `actions_answered` is how many actions were decided one by one. None when the answer is about all that was shown:
    those in Agent Inbox's own words are. `edited_names` is what the screen calls the tool calls that it edited, in the
    order of `changes.edited_actions`: whether they were shown under these names is known where the question is.
    """

    verdict: Verdict
    changes: dict[str, Any] | None = None
    choice: str | None = None
    comment: str | None = None
    actions_answered: int | None = None
    edited_names: tuple[str, ...] | None = None


def answer_in(said: object, where: str) -> HitlAnswer:
    """The answer that stands at `where`. Raises UnreadableAnswer."""
    if not isinstance(said, dict):
        raise UnreadableAnswer(f"{where}: must be an object with a `type`")
    word = said.get("type")
    if not isinstance(word, str) or word not in _READ:
        raise UnreadableAnswer(f"{where}.type: must be one of {', '.join(_READ)}")
    answer = _READ[word](said, where)
    return answer if word in _ABOUT_ALL else replace(answer, actions_answered=1)


def as_comment(text: str, where: str) -> str:
    try:
        return _COMMENT.validate_python(text)
    except ValidationError as error:
        raise UnreadableAnswer(f"{where}: {rejection_of(error)[1]}") from None


def _approve(said: Said, where: str) -> HitlAnswer:
    """Agent Inbox sends `args` along, as they were shown: once they are touched, its answer is an edit."""
    if said.get("edited_action") is not None:
        raise UnreadableAnswer(f"{where}: approves, and holds an `edited_action`; send the type edit for that")
    return HitlAnswer(Verdict.APPROVE)


def _reject(said: Said, where: str) -> HitlAnswer:
    return HitlAnswer(Verdict.REJECT, comment=_text(said, where))


def _ignore(said: Said, where: str) -> HitlAnswer:
    return HitlAnswer(Verdict.REJECT, comment="ignored")


def _respond(said: Said, where: str) -> HitlAnswer:
    comment = _text(said, where)
    if comment is None:
        raise UnreadableAnswer(f"{where}: must say in its text what should be different")
    return HitlAnswer(Verdict.REQUEST_CHANGES, comment=comment)


def _text(said: Said, where: str) -> str | None:
    """The middleware calls it `message`, Agent Inbox `args`."""
    name = "args" if said.get("message") is None else "message"
    text = said.get(name)
    if text is None:
        return None
    if not isinstance(text, str):
        raise UnreadableAnswer(f"{where}.{name}: must be a text")
    return as_comment(text.strip(), f"{where}.{name}") or None


def _edit(said: Said, where: str) -> HitlAnswer:
    """The middleware has the edited call in `edited_action` and names it by `name`, Agent Inbox by `args`, `action`.

    A call that is named like something that pays is the card of a proposal; `hitl_outbound` offers no edit of a tool
    call of such a name.
    """
    if said.get("edited_action") is not None:
        place, name = "edited_action", "name"
    else:
        place, name = "args", "action"
    where, call = f"{where}.{place}", said.get(place)
    if not isinstance(call, dict) or not isinstance(call.get(name), str) or not isinstance(call.get("args"), dict):
        raise UnreadableAnswer(f"{where}: must be the edited call, with `{name}` and `args`")
    if call[name] not in MOVES_MONEY:
        edit = {"index": 0, "args": call["args"]}
        return HitlAnswer(Verdict.MODIFY, changes={"edited_actions": [edit]}, edited_names=(call[name],))
    return _edited(call["args"], f"{where}.args")


def _edited(arguments: dict[str, Any], where: str) -> HitlAnswer:
    """A modify verdict, or a choose verdict when the method is all that could be edited.

    An edited call stands for the whole call, so that what is not there is a mistake. The check also keeps an edit of
    a tool call that happens to be named like ours from passing for one: nothing that it proposes has an amount or a
    method, and the edit is refused where that is known.
    """
    if not arguments.keys() <= _EditedArguments.model_fields.keys():
        editable = ", ".join(_EditedArguments.model_fields)
        raise _bad_edit(f"{where}: holds an argument that cannot be edited; those that can are {editable}")
    try:
        edited = _EditedArguments.model_validate(arguments)
    except ValidationError as error:
        raise _bad_edit(f"{where}: {rejection_of(error)[1]}") from None
    if edited.amount_minor is None and edited.method is None:
        raise _bad_edit(f"{where}: send all arguments as they were shown, `amount_minor` or `method` among them")
    if edited.method is not None and arguments.keys() == {"method"}:
        return HitlAnswer(Verdict.CHOOSE, choice=edited.method.value)
    if edited.amount_minor is not None and edited.currency is None:
        raise _bad_edit(f"{where}.currency: is missing beside `amount_minor`; send it back as it was shown")
    return HitlAnswer(Verdict.MODIFY, changes=edited.as_changes())


def _bad_edit(problem: str) -> UnreadableAnswer:
    return UnreadableAnswer(problem, ReceiptCode.INVALID_CHANGES)


def _blank_is_unchanged(value: object) -> object:
    return None if isinstance(value, str) and not value.strip() else value


def _whole(value: object) -> object:
    """Agent Inbox gives back as text whatever was typed into its form."""
    if isinstance(value, str) and _DIGITS.fullmatch(value.strip()):
        return int(value)
    if isinstance(value, str | float):
        raise PydanticCustomError("minor_units", "must be whole minor units, as shown: 12000 stands for 120.00 USD")
    return value


def _trimmed(value: object) -> object:
    return value.strip() if isinstance(value, str) else value


_DIGITS = re.compile(r"[0-9]{1,18}")
_Blank = BeforeValidator(_blank_is_unchanged)
_MinorUnits = Annotated[
    Annotated[int, Field(strict=True, ge=0, le=MAX_AMOUNT_MINOR), BeforeValidator(_whole)] | None, _Blank
]


class _EditedArguments(Value):
    """The arguments of the card of a proposal that pays something; None is "as it was shown"."""

    amount_minor: _MinorUnits = None
    currency: Annotated[Annotated[Currency, BeforeValidator(_trimmed)] | None, _Blank] = None
    method: Annotated[Annotated[PayoutMethod, BeforeValidator(_trimmed)] | None, _Blank] = None
    customer_message: Annotated[Text | None, _Blank] = None

    def as_changes(self) -> dict[str, Any]:
        amount = None
        if self.amount_minor is not None and self.currency is not None:
            amount = Money(amount_minor=self.amount_minor, currency=self.currency)
        changes = Changes(amount=amount, method=self.method, customer_message=self.customer_message)
        return changes.model_dump(mode="json", exclude_none=True)


_COMMENT: TypeAdapter[str] = TypeAdapter(Text)

_READ: Mapping[str, Callable[[Said, str], HitlAnswer]] = {
    "approve": _approve,
    "edit": _edit,
    "reject": _reject,
    "respond": _respond,
    "accept": _approve,
    "ignore": _ignore,
    "response": _respond,
}
_ABOUT_ALL = frozenset({"accept", "ignore", "response"})
"""Agent Inbox's own words. It shows one card, on which `hitl_outbound` puts everything."""
