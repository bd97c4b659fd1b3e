"""The dialogue in which a person keeps, edits and leaves out actions."""

import json
from typing import Any

import pytest
from typer.testing import CliRunner

from producer_scripts.edits import changed_actions
from schemas.events import ApprovalNeeded
from schemas.generate.examples import published


def asked(*names: str) -> ApprovalNeeded:
    example = next(iter(published(ApprovalNeeded).values()))
    actions = [{"id": str(index), "name": name} for index, name in enumerate(names)]
    return ApprovalNeeded.model_validate(example | {"proposal": {"action": "action_request", "actions": actions}})


def answered(approval: ApprovalNeeded, *lines: str) -> dict[str, Any]:
    with CliRunner().isolation(input="".join(f"{line}\n" for line in lines)):
        return changed_actions(approval)


TO_BOB = json.dumps({"to": "bob"})


@pytest.mark.parametrize(
    ("names", "lines", "changes"),
    [
        ((), [], {}),
        (("send_email",), [""], {}),
        (("send_email",), [TO_BOB], {"edited_actions": [{"index": 0, "args": {"to": "bob"}}]}),
        (("send_email",), ["to bob", TO_BOB], {"edited_actions": [{"index": 0, "args": {"to": "bob"}}]}),
        (
            ("send_email", "erase_note", "tweet"),
            ["0, 2", "", TO_BOB],
            {"approved_actions": [0, 2], "edited_actions": [{"index": 2, "args": {"to": "bob"}}]},
        ),
        (("send_email", "tweet"), ["the first", "0", ""], {"approved_actions": [0]}),
        (("send_email", "tweet"), ["", "", ""], {}),
    ],
)
def test_what_is_left_empty_stays_as_proposed(
    names: tuple[str, ...], lines: list[str], changes: dict[str, Any]
) -> None:
    assert answered(asked(*names), *lines) == changes
