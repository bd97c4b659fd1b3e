"""What is wrong with a file of notifications."""

from collections.abc import Iterable

from worker.adapters.policy.problems import Problem


class NotificationsError(Exception):
    """The file cannot be used, for all the reasons in `problems`. No secret is in the message."""

    def __init__(self, file: str, problems: Iterable[Problem]) -> None:
        self.file = file
        self.problems = tuple(sorted(problems))
        super().__init__("\n".join(_told(file, problem) for problem in self.problems))


def _told(file: str, problem: Problem) -> str:
    place = f"{file}:{problem.line}" if problem.line else file
    return f"{place}: {problem.reason}; {problem.advice}"
