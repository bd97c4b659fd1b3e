"""A payment provider with one ledger and two APIs, ours and Stripe's, that fails when it is told to.

In a test it runs in the test's own loop; `python -m tests.stack.payment_provider` is a process of its own, which says
its address on one line and is told what to do at `/_admin`. With a journal it may be killed at any time: started again
with the same journal and on the same port, it knows all that it did.
"""

import argparse
import asyncio
import contextlib
import dataclasses
import json
import socket
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.stack.payment_http_api import PaymentApi
from tests.stack.payment_journal import Journal
from tests.stack.payment_ledger import Captured, Fault, Ledger
from tests.stack.payment_stripe_api import StripeApi
from tests.stack.payment_weather import ByChance, at_a_rate, parse_faults

STRIPE_KEY = "sk_test_of_the_tests"
TOKEN = "token-of-the-tests"  # noqa: S105 - nobody else's


class PaymentProvider:
    """`address` is `http://127.0.0.1:port`, of both APIs. Both move money in `ledger`."""

    def __init__(self, ledger: Ledger | None = None) -> None:
        self.ledger = ledger or Ledger()
        self.address = ""
        self.stripe = StripeApi(self.ledger, STRIPE_KEY)
        self.payments = PaymentApi(self.ledger, TOKEN)

    @property
    def app(self) -> Starlette:
        return Starlette(
            routes=[*self.stripe.routes, *self.payments.routes, *self._admin],
            exception_handlers={ClientDisconnect: _nobody_is_there},
        )

    @property
    def _admin(self) -> list[Route]:
        return [
            Route("/_admin/entries", self._entries, methods=["GET"]),
            Route("/_admin/faults", self._plan, methods=["POST"]),
            Route("/_admin/heal", self._heal, methods=["POST"]),
            Route("/_admin/payments", self._register, methods=["POST"]),
            Route("/_admin/settle", self._settle, methods=["POST"]),
            Route("/_admin/forget-keys", self._forget, methods=["POST"]),
        ]

    async def _entries(self, _: Request) -> Response:
        return JSONResponse([dataclasses.asdict(entry) for entry in self.ledger.entries()])

    async def _plan(self, request: Request) -> Response:
        """`{"pay": ["timeout"], "look_up": ["error"]}`: what meets the next requests of each sort."""
        plan = await request.json()
        self.ledger.faults.extend(Fault(name) for name in plan.get("pay", ()))
        self.ledger.look_up_faults.extend(Fault(name) for name in plan.get("look_up", ()))
        return Response(status_code=204)

    async def _heal(self, _: Request) -> Response:
        """No more faults, neither planned ones nor by chance."""
        self.ledger.faults.clear()
        self.ledger.look_up_faults.clear()
        self.ledger.weather = None
        return Response(status_code=204)

    async def _register(self, request: Request) -> Response:
        """`{"pi_1": [20000, "USD"]}`: payments that can be given back."""
        self.ledger.payments |= {name: Captured(*paid) for name, paid in (await request.json()).items()}
        return Response(status_code=204)

    async def _settle(self, request: Request) -> Response:
        """`{"idempotency_key": "…", "status": "failed"}`."""
        return JSONResponse(dataclasses.asdict(self.ledger.settle(**await request.json())))

    async def _forget(self, _: Request) -> Response:
        self.stripe.forget_keys()
        return Response(status_code=204)


async def _nobody_is_there(*_: object) -> Response:
    """The request broke off before it could be read, so nothing was done."""
    return Response(status_code=400)


class _Server(uvicorn.Server):
    """Signals are the business of the program that it runs in."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def serving(app: Starlette, *, port: int = 0) -> AsyncIterator[str]:
    """The address of an application that takes requests, on a port that nobody else has."""
    with socket.create_server(("127.0.0.1", port)) as listening:
        config = uvicorn.Config(app, log_config=None, lifespan="off", ws="none", timeout_graceful_shutdown=1)
        app.state.server = server = _Server(config)
        running = asyncio.create_task(server.serve(sockets=[listening]))
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            await running


@asynccontextmanager
async def payment_provider(ledger: Ledger | None = None, *, port: int = 0) -> AsyncIterator[PaymentProvider]:
    provider = PaymentProvider(ledger)
    async with serving(provider.app, port=port) as provider.address:
        yield provider


async def _serve(ledger: Ledger, port: int) -> None:
    async with payment_provider(ledger, port=port) as provider:
        told = {"address": provider.address, "stripe_key": STRIPE_KEY, "token": TOKEN}
        sys.stdout.write(json.dumps(told) + "\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.stack.payment_provider", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0: one that is free")
    parser.add_argument("--captured", type=int, help="what a payment that nobody registered is worth, in minor units")
    parser.add_argument("--currency", default="USD", help="of such a payment")
    parser.add_argument("--journal", type=Path, help="a file of everything that it does, which it reads when it starts")
    parser.add_argument("--seed", type=int, default=0, help="of the faults that come by chance")
    chance = parser.add_mutually_exclusive_group()
    chance.add_argument("--faults", type=_probabilities, help="probabilities, such as timeout-after=0.05,error=0.03")
    chance.add_argument("--fault-rate", type=_rate, dest="faults", help="the share of requests that meet any fault")
    chosen = parser.parse_args(arguments)
    journal = Journal(chosen.journal) if chosen.journal else None
    ledger = Ledger(
        unregistered=Captured(chosen.captured, chosen.currency) if chosen.captured is not None else None,
        weather=ByChance(_seed(chosen.seed, journal), chosen.faults) if chosen.faults else None,
        witness=journal,
        before=journal.before if journal else (),
        refused=journal.said_no_to if journal else set(),
    )
    with contextlib.suppress(KeyboardInterrupt), contextlib.closing(journal or contextlib.ExitStack()):
        asyncio.run(_serve(ledger, chosen.port))


def _seed(seed: int, journal: Journal | None) -> str:
    """A process that is started again must not begin with the same faults again."""
    return f"{seed}, after {len(journal.before) if journal else 0} payments"


def _probabilities(text: str) -> dict[Fault, float]:
    return _read(parse_faults, text)


def _rate(text: str) -> dict[Fault, float]:
    return _read(lambda rate: at_a_rate(float(rate)), text)


def _read(parse: Callable[[str], dict[Fault, float]], text: str) -> dict[Fault, float]:
    """argparse keeps the words of its own error only."""
    try:
        return parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


if __name__ == "__main__":
    main()
