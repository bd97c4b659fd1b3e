"""What an endpoint of the file may say, and the channel that it becomes. Each kind is known by its `use`."""

import ssl
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, TypeAdapter, model_validator

from worker.adapters.mail.message import parse_address
from worker.adapters.mail.smtp import Encryption, Mailer
from worker.adapters.notifications.channel import Channel
from worker.adapters.notifications.mail import MailChannel
from worker.adapters.notifications.posting import HttpsEndpoint
from worker.adapters.notifications.review_link import ReviewLink
from worker.adapters.notifications.slack import SlackChannel
from worker.adapters.notifications.teams import TeamsChannel
from worker.adapters.notifications.webhook import WebhookChannel
from worker.adapters.outgoing.addresses import place_of
from worker.adapters.outgoing.guarded import Forbidden, Guarded
from worker.adapters.outgoing.signature import key_of

Clock = Callable[[], datetime]

TIMEOUT_S = 20.0
"""For one try, whatever the channel; Standard Webhooks says 15 to 30."""


def _https(url: SecretStr) -> SecretStr:
    try:
        place_of(url.get_secret_value())
    except Forbidden as error:
        raise ValueError(str(error)) from None
    return url


def _signing(secret: SecretStr) -> SecretStr:
    key_of(secret.get_secret_value())
    return secret


def _mail_address(text: str) -> str:
    return parse_address(text, "address").addr_spec


def _trusted(path: Path) -> Path:
    """Raises ValueError for a file that holds no certificate."""
    try:
        ssl.create_default_context(cafile=str(path))
    except (OSError, ssl.SSLError) as error:
        raise ValueError(f"no certificates can be read from it: {error}") from None
    return path


Url = Annotated[SecretStr, AfterValidator(_https)]
Certificates = Annotated[Path, AfterValidator(_trusted)]


class Options(BaseModel):
    """`reason: shown` puts the customer's own words into each notice."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    reason: Literal["hidden", "shown"] = "hidden"


class HttpsOptions(Options):
    """`in_house` allows a private address; `ca_file` holds the certificates to trust beside no others."""

    url: Url
    in_house: bool = False
    ca_file: Certificates | None = None

    def endpoint(self, now: Clock) -> HttpsEndpoint:
        url = self.url.get_secret_value()
        place = place_of(url)
        verify = ssl.create_default_context(cafile=str(self.ca_file)) if self.ca_file else None
        allowed = [f"{place.host}:{place.port}"] if self.in_house else []
        return HttpsEndpoint(url, Guarded(allow_private=allowed, verify=verify, timeout_s=TIMEOUT_S), now)


class SlackOptions(HttpsOptions):
    use: Literal["slack"]

    def channel(self, link: ReviewLink | None, now: Clock) -> Channel:
        return SlackChannel(self.endpoint(now), link)


class TeamsOptions(HttpsOptions):
    use: Literal["teams"]

    def channel(self, link: ReviewLink | None, now: Clock) -> Channel:
        return TeamsChannel(self.endpoint(now), link)


class WebhookOptions(HttpsOptions):
    use: Literal["webhook"]
    secrets: Annotated[tuple[Annotated[SecretStr, AfterValidator(_signing)], ...], Field(min_length=1, max_length=5)]

    def channel(self, link: ReviewLink | None, now: Clock) -> Channel:
        secrets = [secret.get_secret_value() for secret in self.secrets]
        return WebhookChannel(self.endpoint(now), link, secrets, now)


class SmtpOptions(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    host: Annotated[str, Field(min_length=1)]
    port: Annotated[int, Field(ge=1, le=65_535)] = 587
    tls: Encryption = "starttls"
    username: str | None = None
    password: SecretStr | None = None
    from_address: Annotated[str, Field(alias="from")]
    insecure: bool = False
    ca_file: Certificates | None = None

    @model_validator(mode="after")
    def _sends(self) -> "SmtpOptions":
        self.mailer()
        return self

    def mailer(self) -> Mailer:
        """Raises ValueError for options that do not belong together."""
        return Mailer(
            host=self.host,
            port=self.port,
            tls=self.tls,
            username=self.username,
            password=self.password.get_secret_value() if self.password else None,
            timeout_s=TIMEOUT_S,
            from_address=self.from_address,
            insecure=self.insecure,
            tls_context=ssl.create_default_context(cafile=str(self.ca_file)) if self.ca_file else None,
        )


class MailOptions(Options):
    use: Literal["email"]
    to: Annotated[tuple[Annotated[str, AfterValidator(_mail_address)], ...], Field(min_length=1, max_length=50)]
    smtp: SmtpOptions

    def channel(self, link: ReviewLink | None, now: Clock) -> Channel:
        return MailChannel(self.smtp.mailer(), self.to, link, now)


EndpointOptions = Annotated[SlackOptions | TeamsOptions | WebhookOptions | MailOptions, Field(discriminator="use")]

ENDPOINT: TypeAdapter[EndpointOptions] = TypeAdapter(EndpointOptions)

SECRET_FIELDS = frozenset({"secrets", "password"})
"""They come from the environment: a file is copied, shown and committed."""
