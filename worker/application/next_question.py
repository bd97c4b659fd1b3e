"""Whom a case asks next: first its chain of levels from the bottom, then what each answer leads to.

One mechanism serves levels, quorum, rounds and two-step levels: a question, and the `rest` of the levels behind it.
All of it is plain data in the thread, so that a waiting case keeps the levels it was given.
"""

import json
from typing import Any

from schemas.values import LevelReference, Proposal, Signature, Value, Verdict
from worker.domain.account_changes import difference
from worker.domain.analysis import Opinion
from worker.domain.approval import Question
from worker.domain.approval_policy import ApprovalPolicy, Level, Requirement
from worker.domain.order_exception import ActionFindings, Facts

PlainData = dict[str, Any]

MAX_ROUNDS_OF_CHANGES = 5
"""After so many requests for changes the next round must decide (shared event contract, review.decided)."""


MAX_SCHEMAS = 64 * 1024
"""Bytes of all JSON Schemas of a question together. Brokers take records of 1 MiB by default, and what an exception
holds, 256 KiB at most, stands in its question several times."""


class Answer(Value):
    """What resumes a thread that waits for a person.

    `proposal` is there when the answer changed it. `asks_again` puts the changed proposal to the same level, whose
    quorum is still open. ESCALATE names the `levels` that are asked in place of this one; REQUEST_CHANGES brings the
    `facts` to analyse anew. `findings` are there when actions were edited, about all of them.
    """

    verdict: Verdict
    proposal: Proposal | None = None
    signed_by: tuple[Signature, ...] = ()
    message_edited: bool = False
    asks_again: bool = False
    levels: tuple[Level, ...] = ()
    facts: Facts | None = None
    findings: tuple[ActionFindings, ...] | None = None


def assessment_of(facts: Facts, proposal: Proposal, requirement: Requirement, policy: ApprovalPolicy) -> PlainData:
    """`proposal`, the first `question` (None when nobody needs to be asked) and the `rest` of the levels."""
    question = None
    if requirement.chain:
        question = _first_question(facts, proposal, requirement, policy).model_dump(mode="json")
    return {
        "proposal": proposal.model_dump(mode="json"),
        "question": question,
        "rest": [level.model_dump(mode="json", exclude_defaults=True) for level in requirement.chain[1:]],
    }


def following(assessment: PlainData, answer: PlainData) -> PlainData:
    """The assessment after an answer that ends neither the case nor the round: `question` is None when all signed."""
    proposal = answer.get("proposal") or assessment["proposal"]
    asked, rest = _next_levels(assessment, answer)
    if asked is None:
        return {"proposal": proposal, "question": None, "rest": []}
    before = Question.model_validate(assessment["question"])
    question = before.model_copy(
        update={
            "level": _reference(before, asked, rest, is_replaced=answer["verdict"] == Verdict.ESCALATE),
            "asked": asked,
            "allowed_verdicts": allowed_verdicts(asked, before.rounds_of_changes),
            "proposal": Proposal.model_validate(proposal),
            "context": {**before.context, **_found(answer)},
            "message_edited": before.message_edited or answer.get("message_edited", False),
            "signed_by": tuple(Signature.model_validate(signature) for signature in answer.get("signed_by", ())),
        }
    )
    return {"proposal": proposal, "question": question.model_dump(mode="json"), "rest": rest}


def _found(answer: PlainData) -> PlainData:
    findings = tuple(ActionFindings.model_validate(finding) for finding in answer.get("findings") or ())
    return {"actions": shown_findings(findings)} if findings else {}


def shown_findings(findings: tuple[ActionFindings, ...]) -> list[PlainData]:
    """Where all schemas would make the question larger than a record may be, an empty one stands for each: what it
    allows is not shown, and an edit is checked by the schema itself."""
    if sum(len(json.dumps(finding.args_schema)) for finding in findings) > MAX_SCHEMAS:
        findings = tuple(
            finding if finding.args_schema is None else finding.model_copy(update={"args_schema": {}})
            for finding in findings
        )
    return _plain(findings)


def allowed_verdicts(level: Level, rounds_of_changes: int) -> tuple[Verdict, ...]:
    """The verdicts of the level, without request_changes once there were five such rounds."""
    if rounds_of_changes < MAX_ROUNDS_OF_CHANGES:
        return level.allowed_verdicts
    return tuple(verdict for verdict in level.allowed_verdicts if verdict is not Verdict.REQUEST_CHANGES)


def _next_levels(assessment: PlainData, answer: PlainData) -> tuple[Level | None, list[PlainData]]:
    """Who is asked now, and who after them."""
    rest: list[PlainData] = assessment.get("rest", [])
    if answer.get("asks_again"):
        return Level.model_validate(assessment["question"]["asked"]), rest
    if answer["verdict"] == Verdict.ESCALATE:
        # Without a level above nobody is left to ask, and no route takes that for an approval.
        above = answer.get("levels")
        rest = _escalated(assessment["question"]["asked"]["name"], above, rest) if above else []
    if not rest:
        return None, []
    return Level.model_validate(rest[0]), rest[1:]


def _escalated(passed_over: str, above: list[PlainData], rest: list[PlainData]) -> list[PlainData]:
    """The level that was passed over is out, with both its steps; those above it are in, unless they come anyway."""
    left = [level for level in rest if level["name"] != passed_over]
    if above[0]["name"] in {level["name"] for level in left}:
        return left
    return [*above, *left]


def _reference(before: Question, asked: Level, rest: list[PlainData], *, is_replaced: bool) -> LevelReference:
    """Both halves of a two-step level have its number, and so has the level that stands in for an escalated one."""
    stays = is_replaced or asked.name == before.level.name
    number = before.level.number + (0 if stays else 1)
    behind = {level["name"] for level in rest} - {asked.name}
    return LevelReference(name=asked.name, number=number, of=number + len(behind))


def _first_question(facts: Facts, proposal: Proposal, requirement: Requirement, policy: ApprovalPolicy) -> Question:
    level = requirement.chain[0]
    exception = facts.exception
    return Question(
        level=LevelReference(name=level.name, number=1, of=len({level.name for level in requirement.chain})),
        asked=level,
        round=facts.round,
        allowed_verdicts=allowed_verdicts(level, len(facts.feedback)),
        rounds_of_changes=len(facts.feedback),
        proposal=proposal,
        alternatives=exception.alternatives,
        why=requirement.why,
        risk=requirement.risk,
        confidence=exception.confidence,
        context=_context(facts),
        requires_hash=policy.requires_hash,
    )


def _context(facts: Facts) -> PlainData:
    """What helps a person decide, beside the proposal itself."""
    exception, exposure = facts.exception, facts.exposure
    shown = {
        "reason": exception.reason,
        "reason_code": exception.reason_code,
        "customer_id": exception.customer_id,
        "items": _plain(exception.items),
        "order": facts.order and facts.order.model_dump(mode="json", exclude_none=True),
        "customer": facts.customer and facts.customer.model_dump(mode="json", exclude_none=True),
        "available": facts.available and facts.available.model_dump(mode="json"),
        "customer_in_window": _plain(exposure.customer),
        "order_in_window": _plain(exposure.order),
        "near_duplicates": _plain(exposure.near_duplicates),
        "actions": shown_findings(facts.findings),
        "results": _plain(facts.results),
        "changes": difference(facts.customer.account if facts.customer else None, exception.changes),
        "analysis": _advice(facts.opinion),
        "failure": facts.failure,
        "difference": facts.difference,
        "history": _plain(facts.feedback),
    }
    return {name: value for name, value in shown.items() if value}


def _advice(opinion: Opinion | None) -> PlainData | None:
    """None from an analyst that had nothing to say."""
    if opinion is None:
        return None
    said = opinion.model_dump(mode="json", exclude_defaults=True, exclude={"customer_message"})
    return said if len(said) > 1 else None


def _plain(values: tuple[Value, ...]) -> list[PlainData]:
    return [value.model_dump(mode="json", exclude_none=True) for value in values]
