"""The file of executors: what it makes, and what each mistake in it is called."""

import base64
import sys
import types
from collections.abc import Mapping
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Annotated, Any

import pytest
from pydantic import Field

from worker.adapters.executors import plug_in
from worker.adapters.executors.configuration import ExecutorsError, load_executors, parse_executors
from worker.adapters.executors.executor import Action, Executor, OnUnknown, Options, Ran, SecretStr
from worker.adapters.executors.registry import Registry

ENVIRONMENT = {"ERP_SECRET": "whsec_" + base64.b64encode(b"e" * 32).decode(), "API_KEY": "hunter2", "EMPTY": ""}

HTTP = """\
executors:
  notify_erp:
    use: http
    url: https://erp.example/notes/{args.order_id}
    secrets: [env:ERP_SECRET]
    allow_hosts: [erp.example]
    args_schema: {type: object, properties: {order_id: {type: string}}, required: [order_id]}
"""
USE = "    use: http\n"


class StampOptions(Options):
    limit: Annotated[int, Field(gt=0)] = 5
    api_key: SecretStr = SecretStr("")


class Stamp(Executor):
    Options = StampOptions
    options: StampOptions
    args_schema: Mapping[str, Any] = {"type": "object"}

    async def run(self, action: Action, idempotency_key: str) -> Ran:
        return Ran(result=[self.name, self.time_limit_s, self.options.limit, self.options.api_key.get_secret_value()])


class LooksUp(Stamp):
    on_unknown = OnUnknown.LOOK_UP

    async def look_up(self, action: Action, idempotency_key: str) -> Ran | None:
        return None


class SaysItLooksUp(Stamp):
    on_unknown = OnUnknown.LOOK_UP


class Wishes(Stamp):
    on_unknown = "whatever"  # type: ignore[assignment]


class WithoutSchema(Stamp):
    args_schema = None  # type: ignore[assignment]


class BadSchema(Stamp):
    args_schema: Mapping[str, Any] = {"type": "object", "properties": {"to": {"$ref": "#/$defs/gone"}}}


class NeedsAFile(Stamp):
    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        raise FileNotFoundError("the price list is missing")


@pytest.fixture(autouse=True)
def stamps(monkeypatch: pytest.MonkeyPatch) -> None:
    """A package `stamps` that has executors, and announces one of them."""
    module = types.ModuleType("stamps")
    for kind in (Stamp, LooksUp, SaysItLooksUp, Wishes, WithoutSchema, BadSchema, NeedsAFile):
        setattr(module, kind.__name__, kind)
    module.Other = object  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "stamps", module)

    def announced(group: str) -> list[EntryPoint]:
        return [EntryPoint("stamp", "stamps:Stamp", group), EntryPoint("http", "stamps:Stamp", group)]

    monkeypatch.setattr(plug_in, "entry_points", announced)


def parsed(text: str, lease_s: float = 30.0) -> Registry:
    return parse_executors(text.encode(), "executors.yaml", lease_s=lease_s, environment=ENVIRONMENT)


def refusal(text: str, lease_s: float = 30.0) -> str:
    with pytest.raises(ExecutorsError) as refused:
        parsed(text, lease_s)
    return str(refused.value)


def stamp(**fields: Any) -> str:
    lines = [f"    {name}: {value}" for name, value in {"use": "stamps:Stamp", **fields}.items()]
    return "\n".join(["executors:", "  stamp:", *lines, ""])


async def test_an_executor_gets_its_name_its_limit_and_its_options() -> None:
    registry = parsed(stamp(limit=7, time_limit_s=2.5, api_key="env:API_KEY"))
    ran = await registry.run(Action(name="stamp", id="0"), "key")
    assert ran.result == ["stamp", 2.5, 7, "hunter2"]


async def test_a_package_announces_executors_and_none_takes_the_place_of_ours() -> None:
    registry = parsed(HTTP + "  stamp: {use: stamp}\n")
    assert sorted(registry.names) == ["notify_erp", "stamp"]
    assert (await registry.run(Action(name="stamp", id="0"), "key")).result[0] == "stamp"
    assert set((await registry.examine(Action(name="notify_erp", id="0", args={"order_id": "1"}))).shown) == {
        "sends_to"
    }
    await registry.aclose()


def test_without_a_file_nothing_is_run_here() -> None:
    assert list(load_executors(None, lease_s=30).names) == []


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ExecutorsError, match=r"gone\.yaml: cannot be read: No such file"):
        load_executors(tmp_path / "gone.yaml", lease_s=30)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "executors.yaml: is empty; write `executors:`"),
        ("executers: {}", "executors.yaml:1: the file has an unknown key `executers`; did you mean executors?"),
        ("executors: [mail]", "executors.yaml:1: `executors` is not a mapping"),
        ("executors: {stamp: {limit: 5}}", "executors.yaml:1: executor stamp has no `use`; add `use: …`"),
        (
            stamp(use="htp"),
            "executors.yaml:3: executor stamp: `use: htp` names no executor; write module:Class, or did you mean http?",
        ),
        (stamp(use="stamps:Gone"), "stamps:Gone is no class that derives from Executor; derive it from"),
        (stamp(use="stamps:Other"), "stamps:Other is no class that derives from Executor"),
        (stamp(use="no_such_module:Stamp"), "no_such_module cannot be imported: No module named 'no_such_module'"),
        (stamp(limt=5), "executors.yaml:4: executor stamp has an unknown option `limt`; did you mean limit?"),
        (stamp(name="x"), "executors.yaml:4: executor stamp has an unknown option `name`"),
        (
            stamp(limit="lots"),
            "executors.yaml:4: `limit` of executor stamp: Input should be a valid integer, "
            "unable to parse string as an integer",
        ),
        (stamp(limit=0), "`limit` of executor stamp: Input should be greater than 0"),
        (stamp(limit="!!python/object:os.system x"), "executors.yaml:4: `limit` of executor stamp "),
        (stamp(limit="&a [*a]"), "executors.yaml:4: `limit` of executor stamp "),
        (
            stamp(api_key="env:GONE"),
            "executors.yaml:4: `api_key` of executor stamp: GONE is not in the environment; set GONE before the start",
        ),
        (stamp(api_key="env:EMPTY"), "EMPTY is not in the environment"),
        (stamp(time_limit_s="soon"), "executors.yaml:4: `time_limit_s` of executor stamp is no number of seconds"),
        (stamp(time_limit_s=0), "is no number of seconds"),
        (stamp(time_limit_s=".inf"), "is no number of seconds"),
        (
            stamp(time_limit_s=30),
            "executors.yaml:4: executor stamp may take 30 s for a call, and another worker takes over after 30 s; "
            "lower `time_limit_s`, or raise SIGNOFF_LEASE_S",
        ),
        (stamp(use="stamps:LooksUp", time_limit_s=15), "may take 30 s for a look-up and a call"),
        (stamp(use="stamps:SaysItLooksUp"), "executors.yaml:3: executor stamp says that it can look up, and has no"),
        (stamp(use="stamps:Wishes"), "executors.yaml:3: executor stamp has an `on_unknown` that is none"),
        (stamp(use="stamps:WithoutSchema"), "executor stamp has no schema; give `args_schema`"),
        (
            stamp(use="stamps:BadSchema"),
            "3: `args_schema` of executor stamp has no schema `#/$defs/gone`",
        ),
        (stamp(use="stamps:NeedsAFile"), "executor stamp: the price list is missing; correct it there"),
        (
            f"executors:\n  {'x' * 201}:\n    use: stamp\n",
            f"the name of executor {'x' * 40}… is too long",
        ),
    ],
)
def test_each_mistake_is_told_with_its_place_and_what_to_do(text: str, says: str) -> None:
    assert says in refusal(text)


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        (
            "    args_schema",
            "    args_shema",
            "executors.yaml:7: executor notify_erp has an unknown option `args_shema`",
        ),
        ("type: object,", "type: list,", "executors.yaml:7: `args_schema` of executor notify_erp is not of type"),
        (
            "required:",
            "requird:",
            "executors.yaml:7: `args_schema` of executor notify_erp has an unknown keyword `requird`",
        ),
        ("[erp.example]", "[shop.example]", "`url` leads to erp.example, which is not among `allow_hosts`"),
        ("[erp.example]", "[erp.example/notes]", "erp.example/notes: write a host as `erp.example`, without a path"),
        ("[erp.example]", "['*']", "*: * cannot be the name of a host"),
        ("https://erp", "http://erp", "`url` of executor notify_erp: the URL is http; only https is sent"),
        ("https://erp.example", "https://{args.order_id}.example", "an argument may not name the host"),
        ("{args.order_id}", "{order_id}", "{order_id} stands for nothing; a place is {args.name}"),
        ("{args.order_id}", "{args.order_id", "a { or } stands alone"),
        ("[env:ERP_SECRET]", "[env:API_KEY]", "`secrets` of executor notify_erp: a webhook secret starts with whsec_"),
        ("[env:ERP_SECRET]", "[]", "`secrets` of executor notify_erp: Tuple should have at least 1 item"),
        ("    url:", "    url_from: args.url\n    url:", "give `url` or `url_from`, and not both"),
        (
            USE,
            USE + "    look_up: https://erp.example/notes\n",
            "`look_up` needs {idempotency_key}",
        ),
        (
            USE,
            USE + "    look_up: 'https://erp.example/{idempotency_key}'\n    repeat: safe\n",
            "give `look_up` or `repeat: safe`",
        ),
        (
            "    use: http\n",
            "    use: http\n    repeat: often\n",
            "`repeat` of executor notify_erp: Input should be 'safe'",
        ),
        (USE, USE + "    headers: {Webhook-Id: x}\n", "'Webhook-Id' is no header"),
        (USE, USE + "    headers: {X-Role: 'ä'}\n", "the value of X-Role holds characters"),
        (USE, USE + "    ca_file: gone.pem\n", "`ca_file` gone.pem is not there"),
    ],
)
def test_mistakes_about_http_are_told_before_anything_is_sent(before: str, after: str, says: str) -> None:
    assert HTTP.count(before) == 1
    assert says in refusal(HTTP.replace(before, after))


def test_all_mistakes_are_told_at_once_in_the_order_of_the_file() -> None:
    text = stamp(limt=5) + "  other: {use: nothing}\n" + "  third: {use: stamp, limit: 0, api_key: env:GONE}\n"
    lines = refusal(text).splitlines()
    assert [line.split(":")[1] for line in lines] == ["4", "5", "6"]


def test_a_secret_is_in_no_message_and_no_repr() -> None:
    told = refusal(stamp(limit="env:API_KEY"))
    assert "limit" in told
    assert "hunter2" not in told
    made = Stamp(name="stamp", api_key="hunter2")
    assert "hunter2" not in f"{made!r} {made.options!r}"
