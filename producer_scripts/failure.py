"""A failure that a program names itself."""


class Failure(Exception):
    """The message says what was wrong, where, and what to do next."""
