"""What the agent can do: one harmless tool, and two that nobody lets it use without a signature."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Annotated, Any, Protocol

from langchain_core.messages import ToolCall, ToolMessage
from langchain_core.tools import BaseTool, InjectedToolArg, tool
from pydantic import BaseModel, Field, ValidationError

from schemas.strict_json import Refused, parse_json

ORDERS = {
    "ORD-7": {"customer_id": "CUST-7", "status": "delivered", "items": ["blue mug"], "email": "ada@example.org"},
}

Key = Annotated[str, InjectedToolArg]
"""The idempotency key of a call. The model never sees it, and whatever it writes there is overruled."""


AmountMinor = Annotated[int, Field(gt=0)]


class Shop(Protocol):
    """Where the effects are. The same key twice is one effect: a step that a crash repeats changes nothing."""

    async def carry_out(self, key: str, deed: str, details: dict[str, Any]) -> None: ...


@dataclass(frozen=True, slots=True)
class Toolbox:
    harmless: Sequence[BaseTool]
    sensitive: Sequence[BaseTool]

    @property
    def all(self) -> tuple[BaseTool, ...]:
        return (*self.harmless, *self.sensitive)

    async def answer_at_once(self, call: ToolCall) -> ToolMessage | None:
        """The answer to a call that nobody needs to look at: a harmless one, or one that could not run anyway.

        None for a call that wants a signature.
        """
        wanted = {tool.name: tool for tool in self.all}.get(call["name"])
        if wanted is None:
            return answer(call, f"there is no tool {call['name']}", failed=True)
        if problem := _problem(wanted, call["args"]):
            return answer(call, problem, failed=True)
        if wanted in self.sensitive:
            return None
        return answer(call, await wanted.ainvoke(call["args"]))

    async def run_approved(self, call: ToolCall, args: dict[str, Any], key: str) -> ToolMessage:
        """Runs a sensitive tool with the arguments that were signed, whatever the model wrote."""
        [wanted] = [tool for tool in self.sensitive if tool.name == call["name"]]
        if problem := _problem(wanted, args):
            return answer(call, f"it was approved and did not run: {problem}", failed=True)
        return answer(call, await wanted.ainvoke({**args, "key": key}))


def answer(call: ToolCall, text: str, *, failed: bool = False) -> ToolMessage:
    status = "error" if failed else "success"
    return ToolMessage(text, name=call["name"], tool_call_id=str(call["id"]), status=status)


def shop_tools(shop: Shop) -> Toolbox:
    @tool
    async def look_up_order(order_id: str) -> str:
        """Who ordered what, and where it is now."""
        order = ORDERS.get(order_id)
        return f"{order_id}: {order}" if order else f"there is no order {order_id}"

    @tool
    async def send_email(to: str, subject: str, body: str, key: Key) -> str:
        """Write to a customer."""
        await shop.carry_out(key, "email", {"to": to, "subject": subject, "body": body})
        return f"sent to {to}: {subject}"

    @tool
    async def issue_voucher(customer_id: str, amount_minor: AmountMinor, currency: str, key: Key) -> str:
        """Give a customer a voucher. The amount is in minor units: 1000 and USD are 10.00 USD."""
        code = "V-" + sha256(key.encode()).hexdigest()[:8].upper()
        details = {"code": code, "customer_id": customer_id, "amount_minor": amount_minor, "currency": currency}
        await shop.carry_out(key, "voucher", details)
        return f"voucher {code} over {amount_minor} {currency} in minor units for {customer_id}"

    return Toolbox(harmless=[look_up_order], sensitive=[send_email, issue_voucher])


def _problem(wanted: BaseTool, args: dict[str, Any]) -> str | None:
    """What is wrong with arguments, by place, or None. `tool_call_schema` is what the model was shown: without keys."""
    schema = wanted.tool_call_schema
    if not (isinstance(schema, type) and issubclass(schema, BaseModel)):
        raise TypeError(f"{wanted.name} has no pydantic model of its arguments")
    try:
        parse_json(json.dumps(args).encode())  # what Signoff cannot read would never have an outcome
        schema.model_validate(args)
    except Refused as refused:
        return f"the arguments are wrong: {refused.detail}"
    except ValidationError as error:
        wrong = [f"{'.'.join(map(str, one['loc'])) or 'args'}: {one['msg']}" for one in error.errors()]
        return "the arguments are wrong: " + "; ".join(wrong)
    return None
