"""An executor of your own: buys shares at a broker, at most once, and never for more than the configuration allows.

The broker knows orders by a `client_order_id` that we choose: the idempotency key. So an order whose answer was lost is
looked up, and not placed again.
"""

import ssl
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

import httpx
from pydantic import Field

from worker.adapters.executors.executor import (
    Action,
    ActionFailed,
    ActionRefused,
    ActionUnavailable,
    ActionUncertain,
    Examination,
    Executor,
    OnUnknown,
    Options,
    Ran,
    SecretStr,
)


class BrokerOptions(Options):
    """Besides `use` and `time_limit_s`, the fields of the configuration."""

    broker: str
    token: SecretStr
    limit_usd: Annotated[int, Field(gt=0)]
    ca_file: Path | None = None


class BuyStock(Executor):
    Options = BrokerOptions
    options: BrokerOptions
    on_unknown = OnUnknown.LOOK_UP
    args_schema: Mapping[str, Any] = {
        "type": "object",
        "properties": {
            "symbol": {"type": "string", "pattern": "^[A-Z.]{1,6}$"},
            "quantity": {"type": "integer", "minimum": 1},
            "limit_price_usd": {"type": "string", "pattern": "^[0-9]{1,6}([.][0-9]{1,2})?$"},
        },
        "required": ["symbol", "quantity", "limit_price_usd"],
        "additionalProperties": False,
    }

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self._http = httpx.AsyncClient(
            base_url=self.options.broker,
            headers={"authorization": f"Bearer {self.options.token.get_secret_value()}"},
            verify=ssl.create_default_context(cafile=self.options.ca_file),
            timeout=self.time_limit_s,
        )

    async def examine(self, action: Action) -> Examination:
        return Examination(args_schema=dict(self.args_schema), shown={"costs_at_most_usd": str(self._cost(action))})

    async def run(self, action: Action, idempotency_key: str) -> Ran:
        self._cost(action)
        order = {**action.args, "side": "buy", "client_order_id": idempotency_key}
        try:
            response = await self._http.post("/orders", json=order)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise ActionUnavailable("the broker was not reached") from error
        except httpx.HTTPError as error:
            raise ActionUncertain("the broker did not answer") from error
        if response.status_code == httpx.codes.CREATED:
            return _bought(response)
        if response.status_code == httpx.codes.TOO_MANY_REQUESTS:
            raise ActionUnavailable("the broker takes no more orders just now")
        if response.is_client_error and response.status_code != httpx.codes.CONFLICT:
            raise ActionFailed(f"the broker refused the order with {response.status_code}")
        # Whatever else it is, the broker may have the order: 409 says that it has one under this key.
        raise ActionUncertain(f"the broker answered {response.status_code}")

    async def look_up(self, action: Action, idempotency_key: str) -> Ran | None:
        try:
            response = await self._http.get("/orders", params={"client_order_id": idempotency_key})
        except httpx.HTTPError as error:
            raise ActionUnavailable("the broker does not answer") from error
        if response.status_code == httpx.codes.NOT_FOUND:
            return None
        if response.status_code != httpx.codes.OK:
            raise ActionUnavailable(f"the broker answered {response.status_code}")
        return _bought(response)

    async def aclose(self) -> None:
        await self._http.aclose()

    def _cost(self, action: Action) -> Decimal:
        """A limit order costs no more than this, so it is what a reviewer signs. Checked again when it runs."""
        cost = Decimal(action.args["limit_price_usd"]) * int(action.args["quantity"])
        if cost > self.options.limit_usd:
            raise ActionRefused(f"{cost} USD is over the limit of {self.options.limit_usd} USD")
        return cost


def _bought(response: httpx.Response) -> Ran:
    order = response.json()
    return Ran(reference=order["id"], result={"state": order["state"]})
