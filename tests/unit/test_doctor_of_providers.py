"""What `signoff doctor` says of executors, the analyst's model, the payment service and the file of notifications."""

from pathlib import Path
from typing import Any

import pytest

from worker.cli.provider_examinations import (
    examine_analyst,
    examine_executors,
    examine_notifications,
    examine_payments,
)
from worker.settings import Settings

UNREACHABLE_MAIL = """
executors:
  send_email:
    use: email
    host: 127.0.0.1
    port: 1
    tls: none
    from: desk@shop.example
    allow_recipients: [shop.example]
"""


def settings(**fields: Any) -> Settings:
    return Settings(**fields)


async def test_nothing_is_said_of_what_is_not_configured() -> None:
    plain = settings()
    assert await examine_executors(plain) == []
    assert await examine_payments(plain) == []
    assert examine_analyst(plain) == examine_notifications(plain) == []


async def test_an_executor_whose_counterpart_is_away_is_named(tmp_path: Path) -> None:
    file = tmp_path / "executors.yaml"
    file.write_text(UNREACHABLE_MAIL)
    read, broken = await examine_executors(settings(executors_file=file))
    assert (read.ok, "send_email" in read.says) == (True, True)
    assert (broken.check, broken.ok) == ("executor send_email", False)
    assert broken.mend


@pytest.mark.parametrize("content", ["executors: {pay: {use: nothing}}", "- no mapping"])
async def test_a_file_of_executors_that_cannot_be_used_is_named(tmp_path: Path, content: str) -> None:
    file = tmp_path / "executors.yaml"
    file.write_text(content)
    [finding] = await examine_executors(settings(executors_file=file))
    assert (finding.check, finding.ok) == ("executors file", False)
    assert str(file) in finding.says


async def test_an_address_of_the_payment_service_that_is_none_is_named() -> None:
    [finding] = await examine_payments(settings(payments="http", payments_url="nowhere"))
    assert (finding.check, finding.ok, bool(finding.mend)) == ("payments", False, True)


def test_a_model_that_cannot_be_made_is_named() -> None:
    [finding] = examine_analyst(settings(analyst="model", analyst_model="nobody:knows"))
    assert (finding.check, finding.ok, bool(finding.mend)) == ("analyst", False, True)
