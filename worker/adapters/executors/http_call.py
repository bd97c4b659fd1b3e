"""Runs an action by telling another system to: a signed POST over https, under an idempotency key.

Only hosts of the allow-list are spoken to, also where the agent names the URL. What each status means is said on the
page "Tool calls".
"""

import hashlib
import json
import re
import ssl
from collections.abc import Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from schemas.strict_json import Refused, parse_json
from worker.adapters.executors.executor import (
    Action,
    ActionFailed,
    ActionRefused,
    ActionUnavailable,
    ActionUncertain,
    Examination,
    Executor,
    OnUnknown,
    Ran,
)
from worker.adapters.executors.http_options import HttpOptions
from worker.adapters.executors.url_template import BadArgument, UrlTemplate, argument
from worker.adapters.outgoing.addresses import place_of
from worker.adapters.outgoing.guarded import Answer, Forbidden, Guarded, NoAnswer, Unreachable
from worker.adapters.outgoing.signature import sign

_SHARE_OF_TIME = 0.9
"""Of the executor's time limit: the request ends before the limit, and says whether it was sent."""

_WIRE_KEY = re.compile(r"[A-Za-z0-9_:-]{1,255}")
_LONGEST_URL = 2000
_NOT_TAKEN = {HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS}
"""RFC 8470 and RFC 6585: the request was not processed."""


class HttpExecutor(Executor):
    """`on_unknown` is as configured: LOOK_UP with `look_up`, REPEAT with `repeat: safe`, else ASK."""

    Options = HttpOptions
    options: HttpOptions

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        options = self.options
        self.args_schema = options.args_schema
        self.on_unknown = options.on_unknown
        self._url = UrlTemplate(options.url, may_hold_key=True) if options.url is not None else None
        self._look_up = UrlTemplate(options.look_up, may_hold_key=True) if options.look_up is not None else None
        self._secrets = [secret.get_secret_value() for secret in options.secrets]
        self._guarded = Guarded(
            allow_private=options.allow_private,
            verify=ssl.create_default_context(cafile=options.ca_file) if options.ca_file else None,
            timeout_s=self.time_limit_s * _SHARE_OF_TIME,
        )

    async def examine(self, action: Action) -> Examination:
        """A name that has no address just now stops no approval: the call looks again, and before it is sent."""
        url = self._address_of(action, "0")
        try:
            await self._guarded.check(url)
        except Forbidden as error:
            raise ActionRefused(str(error)) from error
        except Unreachable:
            pass
        return Examination(args_schema=self.options.args_schema, shown={"sends_to": str(place_of(url))})

    async def run(self, action: Action, idempotency_key: str) -> Ran:
        key = wire_key(idempotency_key)
        body = json.dumps({"id": key, "action": action.name, "args": action.args}, ensure_ascii=False).encode()
        headers = {**self._headers(key, body), "content-type": "application/json", "idempotency-key": key}
        try:
            answer = await self._guarded.send("POST", self._address_of(action, key), body=body, headers=headers)
        except Forbidden as error:
            raise ActionRefused(str(error)) from error
        except Unreachable as error:
            raise ActionUnavailable(str(error)) from error
        except NoAnswer as error:
            raise ActionUncertain(str(error)) from error
        return self._outcome(answer)

    async def look_up(self, action: Action, idempotency_key: str) -> Ran | None:
        if self._look_up is None:
            raise ActionUnavailable("no `look_up` is configured")
        key = wire_key(idempotency_key)
        try:
            url = self._look_up.filled(action.args, key)
            answer = await self._guarded.send("GET", url, headers=self._headers(key, b""))
        except (BadArgument, Forbidden, Unreachable, NoAnswer) as error:
            raise ActionUnavailable(str(error)) from error
        if answer.status == HTTPStatus.NOT_FOUND:
            return None
        if answer.status != HTTPStatus.OK:
            raise ActionUnavailable(f"the look-up answered {_named(answer.status)}; 200 or 404 is an answer")
        return _ran(answer)

    async def check(self) -> str | None:
        """That every host has an address it may have. Nothing is sent: no request is without meaning everywhere."""
        for host in self.options.allow_hosts:
            try:
                await self._guarded.check(f"https://{host}")
            except (Forbidden, Unreachable) as error:
                return str(error)
        return None

    async def aclose(self) -> None:
        await self._guarded.aclose()

    def _address_of(self, action: Action, key: str) -> str:
        """Raises ActionRefused for arguments that do not fit, and for a host outside the allow-list."""
        try:
            return self._named_by(action) if self._url is None else self._url.filled(action.args, key)
        except (BadArgument, Forbidden) as error:
            raise ActionRefused(str(error)) from error

    def _named_by(self, action: Action) -> str:
        where = str(self.options.url_from)
        url = argument(action.args, where)
        if not isinstance(url, str) or len(url) > _LONGEST_URL:
            raise BadArgument(f"{where}: is no URL of up to {_LONGEST_URL} characters")
        try:
            host = str(place_of(url))
        except Forbidden as error:
            raise Forbidden(f"{where}: {error}") from error
        if host not in self.options.allow_hosts:
            raise Forbidden(f"{where}: {host} is not among the hosts that this action may speak to")
        return url

    def _headers(self, key: str, body: bytes) -> dict[str, str]:
        """Those that the configuration names, and the signature."""
        named = {name.lower(): value.get_secret_value() for name, value in self.options.headers.items()}
        return {**named, **sign(self._secrets, key, datetime.now(UTC), body)}

    def _outcome(self, answer: Answer) -> Ran:
        status, said = answer.status, f"answered {_named(answer.status)}"
        if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
            return _ran(answer)
        waits = status == HTTPStatus.SERVICE_UNAVAILABLE and "retry-after" in answer.headers
        if status in _NOT_TAKEN or waits:
            raise ActionUnavailable(said)
        # "Error Scenarios" of draft-ietf-httpapi-idempotency-key-header: the first request of that key is under way.
        under_way = status == HTTPStatus.CONFLICT and self.on_unknown is OnUnknown.REPEAT
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.REQUEST_TIMEOUT or under_way:
            raise ActionUncertain(said)
        if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
            raise ActionFailed(f"{said}, a redirect; give its final address")
        raise ActionFailed(said)


def wire_key(idempotency_key: str) -> str:
    """The key as it stands in headers and is signed. Part of it is the agent's own id of the call: one that holds other
    characters than `A-Z a-z 0-9 _ : -` is replaced by its SHA-256."""
    if _WIRE_KEY.fullmatch(idempotency_key):
        return idempotency_key
    return hashlib.sha256(idempotency_key.encode("utf-8", "surrogatepass")).hexdigest()


def _ran(answer: Answer) -> Ran:
    result = _content(answer.body)
    found = answer.headers.get("location") or (result.get("id") if isinstance(result, Mapping) else None)
    return Ran(reference=str(found) if isinstance(found, str | int) else None, result=result)


def _content(body: bytes) -> Any:
    """JSON where it is JSON, else its text."""
    try:
        return parse_json(body, max_bytes=len(body)) if body else None
    except Refused:
        return body.decode("utf-8", "replace")


def _named(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)
