"""What is done with an approval request besides answering it: it is claimed, released or handed to somebody."""

from typing import ClassVar, Self

from pydantic import ConfigDict, model_validator
from pydantic_core import PydanticCustomError

from schemas.events.conditions import JsonSchema, given, only_when, when
from schemas.events.event import Event
from schemas.events.legibility import legible_identifier
from schemas.values import Command, Identifier, Reviewer, Text

_HANDS_OVER = (Command.REASSIGN, Command.DELEGATE)
_PUBLISHED_RULES: JsonSchema = {
    "allOf": [
        {"anyOf": [given("approval_id"), given("exception_id")]},
        when("command", _HANDS_OVER, given("to")),
        only_when("to", "command", _HANDS_OVER),
    ]
}


class ApprovalCommanded(Event):
    """Somebody takes an approval request for themselves, gives it back, or gives it to somebody else.

    `claim` holds it for `by` alone until the claim runs out; `release` ends that. `reassign` asks `to` instead, who
    needs the role; `delegate` lets `to` answer on the authority of `by`. The request is named as in a decision. The
    answer is a `signoff.review.receipt.v1` whose `decision_id` is the `command_id`: RECORDED when it took effect.
    """

    TYPE: ClassVar[str] = "signoff.approval.command.v1"

    model_config = ConfigDict(json_schema_extra=_PUBLISHED_RULES)

    command_id: Identifier
    approval_id: Identifier | None = None
    exception_id: Identifier | None = None
    level: Identifier | None = None
    command: Command
    by: Reviewer
    to: Identifier | None = None
    comment: Text | None = None

    @model_validator(mode="after")
    def _names_its_request_and_who_gets_it(self) -> Self:
        if self.approval_id is None and self.exception_id is None:
            raise PydanticCustomError("request_unnamed", "a command needs `approval_id` or `exception_id`")
        if self.command in _HANDS_OVER and self.to is None:
            raise PydanticCustomError("to_missing", "the command {command} needs `to`", {"command": self.command})
        if self.command not in _HANDS_OVER and self.to is not None:
            raise PydanticCustomError(
                "to_forbidden", "`to` goes with reassign and delegate, not with {command}", {"command": self.command}
            )
        return self


def legible_command_id(data: object) -> str | None:
    """The id under which an otherwise illegible command can be answered, if there is one."""
    return legible_identifier(data, "command_id")
