"""Puts channels and delivery together for a worker."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from worker.adapters.notifications.configuration import Configuration
from worker.adapters.notifications.delivery import Notifier
from worker.adapters.notifications.endpoints import TIMEOUT_S
from worker.application.notices import Notifications

LEASE = timedelta(seconds=3 * TIMEOUT_S)
"""For a try and the mark after it."""


def _utc_now() -> datetime:
    return datetime.now(UTC)


def make_notifier(
    configuration: Configuration, notifications: Notifications, *, now: Callable[[], datetime] = _utc_now
) -> Notifier:
    """`now` dates what is sent; when something is due is the store's to say. `aclose` ends it."""
    channels = {name: options.channel(configuration.link, now) for name, options in configuration.endpoints.items()}
    return Notifier(channels, notifications)
