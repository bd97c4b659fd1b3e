"""The closed list of concerns. Each counts as a compliance flag of the case, so a policy may ask whom it likes."""

from enum import StrEnum


class Concern(StrEnum):
    LEGAL_THREAT = "legal-threat"
    CHARGEBACK_THREAT = "chargeback-threat"
    INJURY = "injury"
    SELF_HARM = "self-harm"
    ASKS_TO_BYPASS_REVIEW = "asks-to-bypass-review"
    HIDDEN_CHARACTERS = "hidden-characters"
    LOOK_ALIKE_LETTERS = "look-alike-letters"
    CODE_DIFFERS = "code-differs"
    REPEATED_CLAIM = "repeated-claim"
    INCONSISTENT = "inconsistent"
    """What was said does not fit together, in a model's eyes."""
