"""How a request that we send can fail, told apart by whether it may have had an effect."""


class Forbidden(Exception):
    """Nothing was sent, nor ever will be to this address: it is not https, names a user, or leads into the house."""


class Unreachable(Exception):
    """Nothing was sent: the name is unknown, the connection refused, the certificate wrong. Later it may work."""


class NoAnswer(Exception):
    """It was sent, at least in part, and nobody knows what came of it: no answer in time, none at all, or one that is
    too large to be read. `status` is that of an answer which began, and could not be read to its end."""

    def __init__(self, problem: str, status: int | None = None) -> None:
        super().__init__(problem)
        self.status = status
