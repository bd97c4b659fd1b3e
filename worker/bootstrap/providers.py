"""What the settings choose among: who knows the orders, moves the money, runs actions, advises, and is told."""

import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from uuid import UUID

from pydantic import SecretStr

from worker.adapters.analysis.composition import ModelUnavailable, make_analyst
from worker.adapters.executors.configuration import ExecutorsError, load_executors
from worker.adapters.notifications.configuration import NotificationsError, load_notifications
from worker.adapters.notifications.notifier import LEASE, make_notifier
from worker.adapters.orders.http import HttpOrders
from worker.adapters.orders.tables import OrderTables
from worker.adapters.payments.errors import PaymentsError
from worker.adapters.payments.http import HttpPayments
from worker.adapters.payments.ledger import Ledger, OwnBooks
from worker.adapters.payments.stripe import StripePayments
from worker.adapters.postgres.notifications import PostgresNotifications
from worker.adapters.postgres.pool import Pool, make_pool
from worker.application.notices import NoticeRouter
from worker.application.ports.analysis import Analyst
from worker.application.ports.executors import Executors
from worker.application.ports.orders import Orders
from worker.application.ports.payments import Books, Payments
from worker.domain.approval_policy import ApprovalPolicy
from worker.entrypoints.notifying import Notifier
from worker.settings import Settings, SettingsError


@dataclass(frozen=True, slots=True)
class Telling:
    """Who is told is decided with the commit, and done by the notifier; both are None where nobody is."""

    router: NoticeRouter | None = None
    notifier: Notifier | None = None


@dataclass(frozen=True, slots=True)
class Providers:
    """`pools` are connections to other databases than the worker's own."""

    orders: Orders
    payments: Payments
    books: Books | None
    executors: Executors
    analyst: Analyst
    notifications: Telling
    pools: tuple[Pool, ...]


def make_providers(
    settings: Settings, pool: Pool, policy: ApprovalPolicy, new_id: Callable[[], UUID], closing: AsyncExitStack
) -> Providers:
    """All that is opened here ends with `closing`. Raises SettingsError for a file or a choice that cannot be used."""
    try:
        payments, pools = _payments(settings, pool, closing)
        executors = load_executors(settings.executors_file, lease_s=settings.lease_s)
        closing.push_async_callback(executors.aclose)
        return Providers(
            orders=_orders(settings, pool, closing),
            payments=payments,
            books=OwnBooks() if settings.payments == "ledger" and not settings.ledger_url else None,
            executors=executors,
            analyst=analyst_of(settings),
            notifications=_notifications(settings, pool, policy, new_id, closing),
            pools=pools,
        )
    except (ExecutorsError, NotificationsError, PaymentsError, ModelUnavailable) as error:
        raise SettingsError(str(error)) from error


def _orders(settings: Settings, pool: Pool, closing: AsyncExitStack) -> Orders:
    if settings.orders == "tables" or settings.orders_url is None:
        return OrderTables(pool, batch=settings.batch)
    orders = HttpOrders(settings.orders_url)
    closing.push_async_callback(orders.aclose)
    return orders


def _payments(settings: Settings, pool: Pool, closing: AsyncExitStack) -> tuple[Payments, tuple[Pool, ...]]:
    """The adapter, and the pools that it needs besides ours."""
    limit_s = settings.payments_time_limit_s
    if settings.payments == "stripe":
        stripe = StripePayments(
            _told(settings.stripe_api_key) or "", api_base=settings.stripe_api_base, time_limit_s=limit_s
        )
        closing.push_async_callback(stripe.aclose)
        return stripe, ()
    if settings.payments == "http":
        http = HttpPayments(settings.payments_url or "", _told(settings.payments_token), time_limit_s=limit_s)
        closing.push_async_callback(http.aclose)
        return http, ()
    if settings.ledger_url is None:
        return Ledger(pool, batch=settings.batch), ()
    ledger_pool = make_pool(settings.ledger_url, size=4, name="signoff-ledger")
    closing.push_async_callback(ledger_pool.close)
    return Ledger(ledger_pool, batch=settings.batch), (ledger_pool,)


def _told(secret: SecretStr | None) -> str | None:
    return secret.get_secret_value() if secret else None


def analyst_of(settings: Settings) -> Analyst:
    """Nothing is called yet. Raises ModelUnavailable."""
    return make_analyst(
        settings.analyst,
        model=settings.analyst_model,
        time_limit_s=settings.analyst_time_limit_s,
        tokens_per_day=settings.analyst_tokens_per_day,
        calls_per_minute=settings.analyst_calls_per_minute,
        monotonic=time.monotonic,
    )


def _notifications(
    settings: Settings, pool: Pool, policy: ApprovalPolicy, new_id: Callable[[], UUID], closing: AsyncExitStack
) -> Telling:
    if settings.notifications_file is None:
        return Telling()
    configuration = load_notifications(settings.notifications_file, levels=policy.levels)
    notifier = make_notifier(configuration, PostgresNotifications(pool, lease=LEASE))
    closing.push_async_callback(notifier.aclose)
    return Telling(configuration.router(new_id), notifier)
