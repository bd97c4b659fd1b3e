"""Everything that can be set, in one frozen object, read from the environment once at the start.

Each setting is the field's name in capitals behind `SIGNOFF_`. A name that we do not know stops the start: a
misspelt setting must not pass for its default.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

PREFIX = "SIGNOFF_"
_NOT_OURS = frozenset({"SIGNOFF_TEST_STACK", "SIGNOFF_TEST_STRIPE_MOCK"})
"""Read by the test fixtures; the worker has no business with them."""


class SettingsError(Exception):
    """The start is refused; each line of the message names a setting, what is wrong, and what to do."""


class NotReady(Exception):
    """Something the worker needs is not there; the message says what, and how to mend it."""


class Settings(BaseSettings):
    """Seconds where a name ends in `_s`; sizes in bytes or records as the name says."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid")

    kafka_bootstrap_servers: str = "127.0.0.1:9092"
    database_url: str = "postgresql://127.0.0.1:5432/signoff"
    topic_prefix: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]*$", max_length=150)] = ""
    policy_file: Path | None = None

    topic_partitions: Annotated[int, Field(ge=1, le=1000)] = 6
    topic_replication: Annotated[int, Field(ge=1, le=10)] = 1
    consumer_group: str = "signoff"
    worker_id: str | None = None

    reviewers: Literal["decision", "register"] = "decision"
    orders: Literal["tables", "http"] = "tables"
    orders_url: str | None = None
    ledger_url: str | None = None
    payments: Literal["ledger", "stripe", "http"] = "ledger"
    payments_url: str | None = None
    payments_token: SecretStr | None = None
    payments_time_limit_s: Annotated[float, Field(gt=0, le=120)] = 12.0
    stripe_api_key: SecretStr | None = None
    stripe_api_base: str | None = None
    stripe_webhook_secret: SecretStr | None = None
    executors_file: Path | None = None
    notifications_file: Path | None = None
    analyst: Literal["rules", "model"] = "rules"
    analyst_model: str | None = None
    analyst_time_limit_s: Annotated[float, Field(gt=0, le=120)] = 10.0
    analyst_calls_per_minute: Annotated[int, Field(ge=1, le=100_000)] = 60
    analyst_tokens_per_day: Annotated[int, Field(ge=1)] = 1_000_000
    keep_threads: bool = False
    hitl_shape: Literal["langchain", "agent-inbox", "none"] = "langchain"

    batch: Annotated[int, Field(ge=1, le=5000)] = 200
    in_flight: Annotated[int, Field(ge=1, le=100_000)] = 1000
    database_connections: Annotated[int, Field(ge=4, le=200)] = 8
    lease_s: Annotated[float, Field(gt=0, le=3600)] = 30.0
    poll_s: Annotated[float, Field(gt=0, le=60)] = 0.5
    relay_grace_s: Annotated[float, Field(gt=0, le=3600)] = 5.0
    early_decision_wait_s: Annotated[float, Field(ge=0)] = 300.0
    shutdown_s: Annotated[float, Field(gt=0, le=600)] = 10.0

    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"

    failpoints: str = ""
    allow_failpoints: bool = False

    @property
    def lease(self) -> timedelta:
        return timedelta(seconds=self.lease_s)


@dataclass(frozen=True, slots=True)
class _Needed:
    is_chosen: Callable[[Settings], bool]
    why: str


_MISSING = {
    "orders_url": _Needed(lambda given: given.orders == "http", "the http orders port needs the shop's address"),
    "payments_url": _Needed(
        lambda given: given.payments == "http", "the http payment adapter needs the payment service's address"
    ),
    "stripe_api_key": _Needed(lambda given: given.payments == "stripe", "payments by Stripe need its secret key"),
    "analyst_model": _Needed(
        lambda given: given.analyst == "model", "a model as analyst needs its name, such as openai:gpt-5-mini"
    ),
}


def read_settings(**given: object) -> Settings:
    """The settings of this process; `given` wins over the environment. Raises SettingsError."""
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    unknown = sorted(
        name for name in os.environ if name.startswith(PREFIX) and name not in known and name not in _NOT_OURS
    )
    problems = [f"{name}: no such setting; see docs/settings.md" for name in unknown]
    try:
        settings = None if problems else Settings(**given)  # type: ignore[arg-type]
    except ValidationError as error:
        settings = None
        problems += [
            f"{PREFIX}{'_'.join(str(part) for part in problem['loc']).upper()}: {problem['msg']}"
            for problem in error.errors(include_input=False, include_url=False)
        ]
    if settings is None:
        raise SettingsError("\n".join(problems))
    if settings.failpoints and not settings.allow_failpoints:
        raise SettingsError(
            "SIGNOFF_FAILPOINTS: it kills the worker on purpose; for tests, which set SIGNOFF_ALLOW_FAILPOINTS too"
        )
    if settings.payments != "ledger" and 2 * settings.payments_time_limit_s >= settings.lease_s:
        raise SettingsError(
            "SIGNOFF_PAYMENTS_TIME_LIMIT_S: a look-up and a payment must fit into SIGNOFF_LEASE_S, after which another "
            "worker takes over; lower it, or raise the lease"
        )
    for name, needed_by in _MISSING.items():
        if needed_by.is_chosen(settings) and getattr(settings, name) is None:
            raise SettingsError(f"{PREFIX}{name.upper()}: {needed_by.why}")
    return settings
