"""What is wrong with a file of notifications: of little weight, for commands that only name it."""

from worker.adapters.policy.problems import FileRefused


class NotificationsError(FileRefused):
    """The file of notifications cannot be used. No secret is in the message."""
