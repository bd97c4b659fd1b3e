"""A decision whose answer has the shape of LangChain's human-in-the-loop middleware or of Agent Inbox.

Screens wrap the same answers in different ways: as the middleware's `{"decisions": [...]}`, as a bare list, alone, or
under the id of the interrupt. All of these are read; anything else in `response` raises UnreadableAnswer.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from schemas.events import ReviewDecided
from schemas.values import ReceiptCode, Verdict
from worker.domain.approval import Decision
from worker.translation.hitl_answer import HitlAnswer, UnreadableAnswer, answer_in, as_comment

MAX_ANSWERS = 100
"""No action request has more actions than that (`actions` of exception.raised)."""


def decision_in(decided: ReviewDecided) -> Decision:
    """The decision of an event that holds a `response`.

    Raises UnreadableAnswer, also when a field beside `response` says otherwise: which of the two was meant is not
    ours to guess.
    """
    said = decided.model_dump(exclude={"response"})
    for name, value in asdict(verdict_in(decided.response)).items():
        if value is None:
            continue
        if said.get(name) not in (None, value):
            raise UnreadableAnswer(f"response: contradicts the `{name}` beside it; send one of the two")
        said[name] = value
    return Decision.model_validate(said)


def verdict_in(response: object) -> HitlAnswer:
    """The one answer that all those in a response come to. Raises UnreadableAnswer."""
    where, said = _unwrapped(response, "response")
    if not isinstance(said, list):
        return answer_in(said, where)
    if not 1 <= len(said) <= MAX_ANSWERS:
        raise UnreadableAnswer(f"{where}: must hold 1 to {MAX_ANSWERS} decisions")
    answers = [answer_in(one, f"{where}.{index}") for index, one in enumerate(said)]
    return answers[0] if len(answers) == 1 else _together(answers, where)


def _unwrapped(response: object, where: str, *, may_be_map: bool = True) -> tuple[str, object]:
    """A list of decisions, or what must be a single one, and where it stands."""
    match response:
        case {"decisions": list(decisions)}:
            return f"{where}.decisions", decisions
        case {"decisions": _}:
            raise UnreadableAnswer(f"{where}.decisions: must be a list")
        case list() | {"type": _}:
            return where, response
        case dict() if may_be_map and len(response) == 1:
            (answer,) = response.values()
            return _unwrapped(answer, f"{where}.(interrupt id)", may_be_map=False)
        case dict() if may_be_map and response:
            raise UnreadableAnswer(
                f"{where}: must answer one interrupt, as an approval request is one; send a decision for each"
            )
    raise UnreadableAnswer(
        f"{where}: must be a decision with a `type`, a list of such, or `decisions` with a list of such"
        + ("; each of them may stand under an interrupt id" if may_be_map else "")
    )


def _together(answers: Sequence[HitlAnswer], where: str) -> HitlAnswer:
    """Several actions of one request, answered one by one: what was rejected does not run, its siblings do."""
    verdicts = {answer.verdict for answer in answers}
    if Verdict.REQUEST_CHANGES in verdicts and len(verdicts) > 1:
        raise UnreadableAnswer(f"{where}: a response sends the whole request back; respond to all actions or to none")
    verdict, changes = answers[0].verdict, None
    edits, names = _edits_among(answers, where)
    if len(verdicts) > 1 or edits:
        verdict, changes = Verdict.MODIFY, {**_kept_of(answers), **({"edited_actions": edits} if edits else {})}
    return HitlAnswer(
        verdict,
        changes,
        comment=_joined(answers, where),
        actions_answered=len(answers),
        edited_names=names or None,
    )


def _edits_among(answers: Sequence[HitlAnswer], where: str) -> tuple[list[dict[str, Any]], tuple[str, ...]]:
    """The edits of single tool calls, each with the index of its answer, and the names of these calls."""
    edits: list[dict[str, Any]] = []
    names: list[str] = []
    for index, answer in enumerate(answers):
        if answer.verdict not in (Verdict.MODIFY, Verdict.CHOOSE):
            continue
        if answer.changes is None or answer.edited_names is None:
            raise UnreadableAnswer(
                f"{where}.{index}: edits something that pays, and that is decided alone; among several actions only "
                "tool calls can be edited",
                ReceiptCode.INVALID_CHANGES,
            )
        edits += [{**edit, "index": index} for edit in answer.changes["edited_actions"]]
        names += answer.edited_names
    return edits, tuple(names)


def _kept_of(answers: Sequence[HitlAnswer]) -> dict[str, Any]:
    """Nothing when all are kept, and some of them edited."""
    kept = [index for index, answer in enumerate(answers) if answer.verdict is not Verdict.REJECT]
    return {"approved_actions": kept} if len(kept) < len(answers) else {}


def _joined(answers: Iterable[HitlAnswer], where: str) -> str | None:
    """What was said of each action, which is named by its index, as in `approved_actions`."""
    comments = [f"action {index}: {answer.comment}" for index, answer in enumerate(answers) if answer.comment]
    return as_comment("; ".join(comments), where) if comments else None
