"""Sends the mail that an agent wrote, to recipients that the house allows.

A mail server forgets what it took, so nobody can look up a message: whether one that may have been sent is sent
again, a person says.
"""

from datetime import UTC, datetime
from email.message import EmailMessage
from typing import Any, ClassVar

from pydantic import ConfigDict, Field, SecretStr, model_validator

from worker.adapters.executors import executor
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
from worker.adapters.mail.message import LONGEST_SUBJECT, BadMessage, compose, parse_address, parse_sender
from worker.adapters.mail.smtp import Encryption, Mailer, MailRefused, MailUnavailable, MailUncertain

EVERYBODY = "*"

_ADDRESSES = {
    "anyOf": [
        {"type": "string", "minLength": 3},
        {"type": "array", "items": {"type": "string", "minLength": 3}, "minItems": 1},
    ]
}

_ARGUMENTS: dict[str, Any] = {
    "type": "object",
    "properties": {
        "to": _ADDRESSES,
        "cc": _ADDRESSES,
        "subject": {"type": "string", "minLength": 1, "maxLength": LONGEST_SUBJECT},
        "body": {"type": "string", "minLength": 1},
    },
    "required": ["to", "subject", "body"],
    "additionalProperties": False,
}


class Options(executor.Options):
    """`allow_recipients` are addresses and domains (`example.org`, which does not stand for its subdomains), or `*`
    for everybody. `largest_body` is in bytes of UTF-8. `house` are domains that are not shown as outside; that of
    `from` is always one."""

    model_config = ConfigDict(hide_input_in_errors=True)

    host: str = Field(min_length=1)
    port: int = Field(default=587, ge=1, le=65535)
    tls: Encryption = "starttls"
    insecure: bool = False
    username: str | None = None
    password: SecretStr | None = None
    sender: str = Field(alias="from")
    allow_recipients: tuple[str, ...] = Field(min_length=1)
    house: tuple[str, ...] = ()
    most_recipients: int = Field(default=10, ge=1, le=100)
    largest_body: int = Field(default=100_000, ge=1, le=10_000_000)

    @model_validator(mode="after")
    def _addresses_are_addresses(self) -> "Options":
        parse_sender(self.sender)
        for allowed in self.allow_recipients:
            if allowed != EVERYBODY:
                parse_address(allowed if "@" in allowed else f"anybody@{allowed}", "allow_recipients")
        return self


class EmailExecutor(Executor):
    """Actions have the arguments `to`, `subject`, `body` and, if need be, `cc`."""

    Options: ClassVar[type[executor.Options]] = Options
    args_schema = _ARGUMENTS
    on_unknown = OnUnknown.ASK
    time_limit_s = 20.0

    def __init__(self, *, name: str, time_limit_s: float | None = None, **options: Any) -> None:
        super().__init__(name=name, time_limit_s=time_limit_s, **options)
        known: Options = self.options
        self._mailer = Mailer(
            host=known.host,
            port=known.port,
            tls=known.tls,
            insecure=known.insecure,
            username=known.username,
            password=known.password.get_secret_value() if known.password else None,
            from_address=known.sender,
            # Its own answer, which says whether the text began, should come before the limit of the whole call.
            timeout_s=self.time_limit_s * 0.9,
        )
        domains = (parse_sender(known.sender).domain, *known.house)
        self._house = {domain.lower() for domain in domains}
        self._allowed = {allowed.lower() for allowed in known.allow_recipients}

    async def examine(self, action: Action) -> Examination:
        """Shows every recipient, and which of them are outside the house."""
        self._composed(action, key="")
        recipients = _recipients(action)
        outside = [address for address in recipients if _domain(address) not in self._house]
        return Examination(args_schema=_ARGUMENTS, shown={"recipients": recipients, "outside": outside})

    async def run(self, action: Action, idempotency_key: str) -> Ran:
        message = self._composed(action, idempotency_key)
        try:
            answer = await self._mailer.send(message)
        except MailRefused as error:
            raise ActionFailed(str(error)) from error
        except MailUnavailable as error:
            raise ActionUnavailable(str(error)) from error
        except MailUncertain as error:
            raise ActionUncertain(str(error)) from error
        return Ran(reference=message["Message-ID"], result={"answer": answer})

    async def check(self) -> str | None:
        return await self._mailer.check()

    def _composed(self, action: Action, key: str) -> EmailMessage:
        """Raises ActionRefused."""
        try:
            message = compose(
                sender=self._mailer.from_address,
                to=_listed(action.args["to"]),
                cc=_listed(action.args.get("cc", [])),
                subject=action.args["subject"],
                text=action.args["body"],
                key=key,
                at=datetime.now(UTC),
            )
        except BadMessage as error:
            raise ActionRefused(str(error)) from error
        self._refuse_recipients(_recipients(action))
        size = len(action.args["body"].encode())
        if size > self.options.largest_body:
            raise ActionRefused(f"body: it has {size} bytes; at most {self.options.largest_body} are sent")
        return message

    def _refuse_recipients(self, recipients: list[str]) -> None:
        if len(recipients) > self.options.most_recipients:
            raise ActionRefused(
                f"to, cc: {len(recipients)} recipients; at most {self.options.most_recipients} get a message"
            )
        if EVERYBODY in self._allowed:
            return
        for address in recipients:
            if self._allowed.isdisjoint({address.lower(), _domain(address)}):
                raise ActionRefused(f"{address} is not among the recipients that this executor may write to")


def _listed(addresses: str | list[str]) -> list[str]:
    return [addresses] if isinstance(addresses, str) else addresses


def _recipients(action: Action) -> list[str]:
    """Each address once, as it is written to."""
    written = [*_listed(action.args["to"]), *_listed(action.args.get("cc", []))]
    return list(dict.fromkeys(parse_address(address, "to, cc").addr_spec for address in written))


def _domain(address: str) -> str:
    return address.rpartition("@")[2].lower()
