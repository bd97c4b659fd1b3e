"""`deploy/install.py` tells uv what pip was told, or leaves the work to pip."""

from pathlib import Path

import pytest

from deploy.install import pip_options, uv_environment


@pytest.fixture(autouse=True)
def _no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("UV_DEFAULT_INDEX", "UV_INDEX", "UV_FIND_LINKS", "SSL_CERT_FILE"):
        monkeypatch.delenv(name, raising=False)


def test_the_environment_wins_over_the_files() -> None:
    listing = "global.index-url='https://from.example/file'\n:env:.index-url='https://from.example/env'\n"
    assert pip_options(listing) == {"index-url": "https://from.example/env"}


def test_a_mirror_and_a_certificate_reach_uv() -> None:
    options = {"index-url": "https://mirror.example/simple", "cert": "/etc/own.crt"}
    assert uv_environment(options) == {
        "UV_DEFAULT_INDEX": "https://mirror.example/simple",
        "SSL_CERT_FILE": "/etc/own.crt",
    }


def test_a_folder_of_wheels_that_is_not_there_is_left_out(tmp_path: Path) -> None:
    """pip passes over it, uv would stop."""
    options = {"find-links": f"{tmp_path} {tmp_path / 'missing'}"}
    assert uv_environment(options) == {"UV_FIND_LINKS": str(tmp_path)}


def test_what_the_user_told_uv_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UV_DEFAULT_INDEX", "https://chosen.example/simple")
    assert uv_environment({"index-url": "https://mirror.example/simple"}) == {}


def test_pip_does_the_work_when_uv_cannot_be_told() -> None:
    assert uv_environment({"client-cert": "/etc/me.pem"}) is None
