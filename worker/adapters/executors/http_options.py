"""What the configuration says of an HTTP executor, checked before anything is sent."""

import re
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, SecretStr, field_validator, model_validator

from worker.adapters.executors.executor import OnUnknown, Options
from worker.adapters.executors.url_template import UrlTemplate
from worker.adapters.outgoing.addresses import place_of
from worker.adapters.outgoing.errors import Forbidden
from worker.adapters.outgoing.signature import key_of

_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_OURS = {"content-length", "content-type", "host", "idempotency-key", "transfer-encoding"}
_SIGNATURE = "webhook-"


class HttpOptions(Options):
    """`url` may hold places for arguments, `look_up` also one for the key. `url_from` says which argument is the URL.

    `allow_hosts` are the hosts that may be spoken to, `host` or `host:port`; `allow_private` those among them that have
    private addresses. `ca_file` holds the certificates to trust in place of the public authorities'.
    """

    args_schema: dict[str, Any]
    allow_hosts: Annotated[tuple[str, ...], Field(min_length=1)]
    secrets: Annotated[tuple[SecretStr, ...], Field(min_length=1)]
    url: str | None = None
    url_from: Annotated[str | None, Field(pattern=r"^args(\.[A-Za-z0-9_-]+)+$")] = None
    look_up: str | None = None
    repeat: Literal["safe"] | None = None
    headers: dict[str, SecretStr] = Field(default_factory=dict)
    allow_private: tuple[str, ...] = ()
    ca_file: Path | None = None

    @field_validator("secrets")
    @classmethod
    def _can_sign(cls, secrets: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
        for secret in secrets:
            key_of(secret.get_secret_value())
        return secrets

    @field_validator("headers")
    @classmethod
    def _can_be_sent(cls, headers: dict[str, SecretStr]) -> dict[str, SecretStr]:
        for name, value in headers.items():
            text = value.get_secret_value()
            ours = name.lower() in _OURS or name.lower().startswith(_SIGNATURE)
            if ours or not _HEADER_NAME.fullmatch(name):
                raise ValueError(f"{name!a} is no header that can be set here")
            if not (text.isascii() and text.isprintable()):
                raise ValueError(f"the value of {name} holds characters that no header may have")
        return headers

    @field_validator("allow_hosts", "allow_private")
    @classmethod
    def _are_hosts(cls, hosts: tuple[str, ...]) -> tuple[str, ...]:
        for host in hosts:
            try:
                place = place_of(f"https://{host}")
            except Forbidden as error:
                raise ValueError(f"{host}: {error}") from None
            if str(place) != host.lower():
                raise ValueError(f"{host}: write a host as `{place}`, without a path; 443 is understood")
        return tuple(host.lower() for host in hosts)

    @field_validator("url", "look_up")
    @classmethod
    def _is_a_url(cls, url: str | None) -> str | None:
        if url is not None:
            UrlTemplate(url, may_hold_key=True)
        return url

    @model_validator(mode="after")
    def _fit_together(self) -> Self:
        if self.ca_file is not None and not self.ca_file.is_file():
            raise ValueError(f"`ca_file` {self.ca_file} is not there")
        if (self.url is None) == (self.url_from is None):
            raise ValueError("give `url` or `url_from`, and not both")
        for field, url in (("url", self.url), ("look_up", self.look_up)):
            if url is not None and (host := str(UrlTemplate(url, may_hold_key=True).place)) not in self.allow_hosts:
                raise ValueError(f"`{field}` leads to {host}, which is not among `allow_hosts`")
        if self.look_up is not None and not UrlTemplate(self.look_up, may_hold_key=True).names_key:
            raise ValueError("`look_up` needs {idempotency_key}: what came of one action is asked by it")
        if self.look_up is not None and self.repeat is not None:
            raise ValueError("give `look_up` or `repeat: safe`: what is done when nobody knows is one thing")
        return self

    @property
    def on_unknown(self) -> OnUnknown:
        if self.look_up is not None:
            return OnUnknown.LOOK_UP
        return OnUnknown.ASK if self.repeat is None else OnUnknown.REPEAT
