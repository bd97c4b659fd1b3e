"""The page "Executors that ship" says what the code does: its files load, its calls are taken, its table is ours."""

import json
import re
from importlib import resources
from pathlib import Path

import jsonschema
import pytest

from schemas.values import Action
from worker.adapters.executors.configuration import parse_executors
from worker.adapters.executors.email import EmailExecutor
from worker.adapters.executors.executor import Executor
from worker.adapters.executors.sql import SqlExecutor
from worker.adapters.executors.sql_statement import read_statement
from worker.settings import Settings

PAGE = (Path(__file__).parents[2] / "docs" / "executors.md").read_text(encoding="utf-8")
LEASE_S = Settings.model_fields["lease_s"].default
SECRETS = {"SMTP_PASSWORD": "s3cret", "SHOP_DATABASE": "postgresql://signoff_shop:s3cret@db.house.example/shop"}


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def section(heading: str) -> str:
    return PAGE.split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]


@pytest.mark.parametrize(
    ("file", "call", "executor"),
    list(zip(blocks("yaml"), blocks("json"), [EmailExecutor, SqlExecutor], strict=True)),
    ids=["email", "sql"],
)
def test_every_file_on_the_page_loads_and_takes_the_call_beside_it(
    file: str, call: str, executor: type[Executor]
) -> None:
    action = Action.model_validate(json.loads(call))
    executors = parse_executors(file.encode(), "executors.yaml", lease_s=LEASE_S, environment=SECRETS)
    assert executors.runs(action.name)
    jsonschema.validate(action.args, executor.args_schema)


def test_the_statement_on_the_page_is_of_the_kind_and_tables_that_its_file_allows() -> None:
    statement = read_statement(json.loads(blocks("json")[1])["args"]["statement"])
    assert (statement.kind, statement.tables, statement.parameters) == ("update", ("public.orders",), 2)


@pytest.mark.parametrize(
    ("heading", "executor"),
    [("E-mail", EmailExecutor), ("SQL", SqlExecutor)],
)
def test_the_page_lists_every_option(heading: str, executor: type[Executor]) -> None:
    table = section(heading).split("| option |", 1)[1].split("\n\n", 1)[0]
    rows = [row.split("|")[1] for row in table.splitlines() if row.startswith("| `")]
    listed = [name for row in rows for name in re.findall(r"`(\w+)`", row)]
    assert sorted(listed) == sorted(field.alias or name for name, field in executor.Options.model_fields.items())


def test_the_table_on_the_page_is_the_one_that_is_written() -> None:
    shipped = (resources.files("worker.adapters.executors") / "signoff_executions.sql").read_text(encoding="utf-8")
    assert blocks("sql")[-1] == shipped
