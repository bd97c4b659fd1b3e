"""Why a payment adapter cannot be made of its settings."""


class PaymentsError(ValueError):
    """The message names the setting and what to do, and repeats no secret."""
