"""What goes wrong in this package, as a sentence for the person at the terminal."""


class EmbeddedError(Exception):
    """The embedded Kafka or PostgreSQL cannot run. The text says what, where, and what to do about
    it.
    """


class PortTakenError(EmbeddedError):
    """Somebody else got the port between our choosing it and our program's using it."""
