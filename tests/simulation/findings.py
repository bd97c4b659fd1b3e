"""What those who judge a world have found."""

from collections.abc import Callable


class Findings:
    """`first` is the first thing that was wrong. It is remembered and not raised: whoever was at work would take it for
    a fault of their message."""

    def __init__(self) -> None:
        self.first: AssertionError | None = None

    def judge(self, look: Callable[[], None]) -> None:
        try:
            look()
        except AssertionError as error:
            self.first = self.first or error
        except LookupError as error:
            self.first = self.first or AssertionError(f"what was looked for is not there: {error!r}").with_traceback(
                error.__traceback__
            )
