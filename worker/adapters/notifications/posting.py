"""One POST over https, and what its answer means for a notification."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from worker.adapters.notifications.channel import Undelivered
from worker.adapters.outgoing.addresses import place_of
from worker.adapters.outgoing.guarded import Answer, Forbidden, Guarded, NoAnswer, Unreachable

GONE = 410
ASKING_FOR_PATIENCE = frozenset({429, 503})
_ERROR_WORD = re.compile(rb"[a-z_]{1,60}")
"""How Slack says what was wrong, such as `no_service`; anything else may be a page."""


class HttpsEndpoint:
    """A URL may be a secret as a whole: messages name its host alone."""

    def __init__(self, url: str, guarded: Guarded, now: Callable[[], datetime]) -> None:
        self._url = url
        self._guarded = guarded
        self._now = now
        self._place = str(place_of(url))

    async def post(self, body: bytes, headers: Mapping[str, str]) -> None:
        """Returns when it answered 2xx. Raises Undelivered."""
        answer = await self._answer(body, headers)
        if not 200 <= answer.status < 300:
            raise self._refused(answer)

    async def aclose(self) -> None:
        await self._guarded.aclose()

    async def _answer(self, body: bytes, headers: Mapping[str, str]) -> Answer:
        """The status says it all: an answer that nobody can read to its end counts by it, as one without a body. Else
        an endpoint that took a notice would get it again and again."""
        try:
            return await self._guarded.send("POST", self._url, body=body, headers=headers)
        except NoAnswer as error:
            if error.status is None:
                raise Undelivered(str(error)) from error
            return Answer(error.status, {}, b"")
        except (Forbidden, Unreachable) as error:
            raise Undelivered(str(error)) from error

    def _refused(self, answer: Answer) -> Undelivered:
        said = f"{self._place} answered {answer.status}"
        if 300 <= answer.status < 400:
            return Undelivered(f"{said}, a redirect, which is not followed: give its final address")
        if _ERROR_WORD.fullmatch(answer.body):
            said += f" {answer.body.decode()}"
        asked = self._retry_after(answer) if answer.status in ASKING_FOR_PATIENCE else None
        return Undelivered(said, retry_after_s=asked, is_gone=answer.status == GONE)

    def _retry_after(self, answer: Answer) -> float | None:
        """Seconds, or a date (RFC 9110, 10.2.3); None for anything else."""
        text = answer.headers.get("retry-after", "").strip()
        if re.fullmatch(r"[0-9]{1,9}", text, re.ASCII):
            return float(text)
        try:
            until = parsedate_to_datetime(text)
        except (ValueError, OverflowError):
            return None
        until = until if until.tzinfo else until.replace(tzinfo=UTC)
        return max(0.0, (until - self._now()).total_seconds())
