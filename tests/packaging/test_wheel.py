"""The wheel, in a clean environment outside the repository: only there does a missing file show."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("worker", "schemas")


def run(*command: str | Path, cwd: Path, **environment: str) -> str:
    done = subprocess.run(
        command,
        cwd=cwd,
        env={"PATH": os.environ["PATH"], "HOME": str(cwd), **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built by the build backend, without a network."""
    target = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", target, cwd=ROOT)
    (built,) = target.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `bin` of an environment that has our wheel and borrows other people's packages.

    A path in a .pth file is searched, but its own .pth files are not read: the editable install of
    this repository stays out.
    """
    home = tmp_path_factory.mktemp("clean")
    run(sys.executable, "-m", "venv", "--without-pip", home / "venv", cwd=home)
    library = home / "venv" / "lib" / f"python3.{sys.version_info.minor}" / "site-packages"
    run(
        *(sys.executable, "-m", "uv", "pip", "install", "--quiet", "--offline", "--no-deps"),
        *(f"--python={home / 'venv' / 'bin' / 'python'}", wheel),
        cwd=home,
    )
    borrowed = next(Path(place) for place in sys.path if place.endswith("site-packages"))
    (library / "borrowed.pth").write_text(f"{borrowed}\n")
    return home / "venv" / "bin"


def test_every_file_of_our_packages_is_in_the_wheel(wheel: Path) -> None:
    """SQL, policies, checksums and JSON Schemas are as much a part of the program as its code."""
    listed = subprocess.run(
        ["git", "ls-files", *PACKAGES],  # noqa: S607 - the developer's git
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    committed = {line for line in listed.stdout.splitlines() if (ROOT / line).exists()}
    kinds = {Path(name).suffix for name in committed}
    assert {".py", ".sql", ".yaml", ".sha256"} <= kinds
    with zipfile.ZipFile(wheel) as archive:
        assert committed - set(archive.namelist()) == set()


def test_nothing_else_is_in_the_wheel(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        tops = {name.split("/")[0] for name in archive.namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == set(PACKAGES)


def test_the_installed_package_is_complete(installed: Path, tmp_path: Path) -> None:
    """Import every module that is there, far from the repository."""
    program = (
        "import importlib, pkgutil, worker, schemas\n"
        "for package in (worker, schemas):\n"
        "    assert 'site-packages' in package.__file__, package.__file__\n"
        "    for module in pkgutil.walk_packages(package.__path__, package.__name__ + '.'):\n"
        "        if not module.name.endswith('__main__'):\n"
        "            importlib.import_module(module.name)\n"
    )
    run(installed / "python", "-c", program, cwd=tmp_path)


def test_the_installed_command_explains_itself(installed: Path, tmp_path: Path) -> None:
    shown = run(installed / "signoff", "--help", cwd=tmp_path, COLUMNS="100")
    assert "Usage: signoff" in shown
    assert "run" in shown
