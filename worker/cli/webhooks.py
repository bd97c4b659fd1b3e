"""`signoff webhooks`: what payment providers say of payments that failed after all, as events."""

import contextlib
import logging
import socket
import sys
from collections.abc import Iterator
from typing import Annotated

import typer

from worker.cli.failure import Failure
from worker.cli.named_failures import named_failures
from worker.cli.run import run_until_signalled
from worker.settings import read_settings


def webhooks(
    listen: Annotated[
        str,
        typer.Option(metavar="HOST:PORT", help="Where to listen. A proxy of yours stands in front, and speaks https."),
    ] = "127.0.0.1:8787",
) -> None:
    """Take webhooks of payment providers until SIGTERM or Ctrl-C: POST /stripe. docs/payments.md says how."""
    settings = read_settings()
    logging.basicConfig(
        level=settings.log_level, stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    if settings.stripe_webhook_secret is None or not settings.stripe_webhook_secret.get_secret_value():
        raise Failure("SIGNOFF_STRIPE_WEBHOOK_SECRET: set it to the signing secret of the webhook endpoint (whsec_…)")
    from worker.cli.webhook_server import serve_webhooks  # noqa: PLC0415 - Stripe and uvicorn: nobody else needs them

    with named_failures(settings), _listening(listen) as listener:
        run_until_signalled(serve_webhooks(settings, settings.stripe_webhook_secret.get_secret_value(), listener))


@contextlib.contextmanager
def _listening(address: str) -> Iterator[socket.socket]:
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal() or int(port) > 65_535:
        raise typer.BadParameter(f"{address!r} is no HOST:PORT, such as 127.0.0.1:8787", param_hint="--listen")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host.strip("[]"), int(port)), family=family)
    except OSError as error:
        raise Failure(f"--listen {address}: nobody can listen there ({error.strerror or error})") from error
    with listener:
        yield listener
