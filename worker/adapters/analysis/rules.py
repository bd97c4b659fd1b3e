"""The analyst that is always there: phrases of the reason and figures of the history, the same answer every time.

It raises a doubt on a clear signal only, for each doubt makes a case wait for a person that would have passed.
"""

import re
from collections.abc import Iterator

from schemas.values import ExceptionKind
from worker.adapters.analysis.concerns import Concern
from worker.adapters.analysis.phrases import Phrases, shipped_phrases
from worker.adapters.analysis.plain_text import MAX_LENGTH, comparable, hides_characters, mixes_alphabets
from worker.adapters.analysis.reason_codes import ReasonCode, contradict, known_code
from worker.domain.analysis import Opinion
from worker.domain.order_exception import Facts, OrderException
from worker.domain.resolution import MOVES_MONEY

BY = "rules"

WANTS_HUMAN = "wants-human"
ACCOUNT_CHANGE = "account-change"
NEGATION = "negation"

MANY_CASES = 5
"""Other cases of a customer that moved money within the policy's window; one more parcel that never came is odd."""

CONTRADICTED_CONFIDENCE = 0.3

_MARKUP_OF_PROMPTS = re.compile(
    r"<\|\w{1,20}\|>|\[/?inst\]|<</?sys>>|</?(?:system|assistant|instructions?)>"
    r'|"role"\s{0,9}:\s{0,9}"(?:system|assistant|developer)"',
    re.IGNORECASE,
)
"""What only somebody who writes to a language model types."""


class RuleAnalyst:
    """Deterministic, and without anything to wait for. `confidence` is None unless the code and the text contradict
    each other."""

    def __init__(self, phrases: Phrases | None = None) -> None:
        self._phrases = phrases or shipped_phrases()

    async def analyse(self, facts: Facts) -> Opinion:
        return self.opinion_of(facts)

    def opinion_of(self, facts: Facts) -> Opinion:
        exception = facts.exception
        topics = self._phrases.topics_in(comparable(exception.reason))
        said = _code_among(topics)
        given = known_code(exception.reason_code) if exception.reason_code else None
        contradicted = given is not None and _contradicts(given, topics)
        code = given or self._code_of_feedback(facts) or said
        concerns = (
            *(Concern(topic) for topic in Concern if topic in topics),
            *_concerns_about_writing(exception.reason, known=topics),
            *((Concern.CODE_DIFFERS,) if contradicted else ()),
            *((Concern.REPEATED_CLAIM,) if _claims_often(facts, code) else ()),
        )
        return Opinion(
            by=BY,
            intent=_intent(exception, topics),
            reason_code=code or (ReasonCode.OTHER if exception.reason or exception.reason_code else None),
            confidence=CONTRADICTED_CONFIDENCE if contradicted else None,
            wants_human=WANTS_HUMAN in topics,
            concerns=tuple(concerns),
        )

    def _code_of_feedback(self, facts: Facts) -> ReasonCode | None:
        """What the reviewer who asked for changes last called it: they may know better than the text."""
        if not facts.feedback:
            return None
        return _code_among(self._phrases.topics_in(comparable(facts.feedback[-1].comment)))


def _code_among(topics: set[str]) -> ReasonCode | None:
    return next((code for code in ReasonCode if code in topics), None)


def _contradicts(given: ReasonCode, topics: set[str]) -> bool:
    """Whether all that the text speaks of cannot be true beside the code. "Nothing is broken" speaks of damage and
    means none, so a text with a negation counts for parcels alone that never came."""
    said = [code for code in ReasonCode if code in topics]
    if given in said:
        return False
    if NEGATION in topics:
        said = [code for code in said if code is ReasonCode.NOT_RECEIVED]
    return bool(said) and all(contradict(given, code) for code in said)


def _concerns_about_writing(text: str, known: set[str]) -> Iterator[Concern]:
    text = text[:MAX_LENGTH]
    if Concern.ASKS_TO_BYPASS_REVIEW not in known and _MARKUP_OF_PROMPTS.search(text):
        yield Concern.ASKS_TO_BYPASS_REVIEW
    if hides_characters(text):
        yield Concern.HIDDEN_CHARACTERS
    if mixes_alphabets(text):
        yield Concern.LOOK_ALIKE_LETTERS


def _claims_often(facts: Facts, code: ReasonCode | None) -> bool:
    return code is ReasonCode.NOT_RECEIVED and facts.exposure.customer_cases >= MANY_CASES


def _intent(exception: OrderException, topics: set[str]) -> ExceptionKind | None:
    """Money that is to go to another account is a change of the account first: the usual way to divert a refund."""
    if exception.kind in MOVES_MONEY and ACCOUNT_CHANGE in topics:
        return ExceptionKind.ACCOUNT_CHANGE
    return None
