"""The one error of this package."""


class EmbeddedError(Exception):
    """The embedded Kafka or PostgreSQL cannot run. The text says what, where, and what to do about
    it.
    """
