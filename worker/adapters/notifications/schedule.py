"""When a notification is tried again: as Standard Webhooks 1.0.0 recommends, for all channels.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md#deliverability-and-reliability
"""

from datetime import timedelta

PAUSES_S = (5.0, 300.0, 1_800.0, 7_200.0, 18_000.0, 36_000.0, 50_400.0, 72_000.0, 86_400.0)
"""After the first try, the second, and so on: 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h."""

TRIES = len(PAUSES_S) + 1

LARGEST_JITTER = 0.1
"""Up to a tenth is added to a pause, so that what failed together does not come back together."""

LONGEST_RETRY_AFTER_S = 86_400.0
"""An endpoint may ask for a later try, but not for one after a day."""

LONGEST_REST_S = 3_600.0
"""What an endpoint asks for counts for all that goes there, but not for longer: new notices may be urgent."""

PATIENCE = timedelta(days=5)
"""An endpoint that fails for so long without one success is disabled."""


def pause_after(tries: int, jitter: float, asked_s: float | None) -> float | None:
    """Seconds until the next try, once `tries` were made; None when that was the last. `jitter` is from 0 to 1;
    `asked_s` is the least that the endpoint asked for."""
    if tries >= TRIES:
        return None
    pause = PAUSES_S[tries - 1] * (1 + LARGEST_JITTER * jitter)
    return max(pause, min(asked_s or 0.0, LONGEST_RETRY_AFTER_S))
