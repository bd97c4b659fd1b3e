"""Makes `.venv` ready: `python3 deploy/install.py up` for users, `… dev` for whoever works on it.

Needs Python 3.11 with pip and nothing else. uv is installed first, by pip and from a lock, because
it brings the rest in a fifth of pip's time; it is told what pip is configured to (index, mirrors,
certificate). Where that cannot be told, or uv fails, pip installs everything.
"""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
LOCKS = {"up": ROOT / "deploy" / "up.lock", "dev": ROOT / "requirements.lock"}
INSTALLER_LOCK = ROOT / "deploy" / "installer.lock"
OLDEST_PYTHON = (3, 11)

UV_NAMES = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "find-links": "UV_FIND_LINKS",
    "no-index": "UV_NO_INDEX",
    "no-cache-dir": "UV_NO_CACHE",
    "cert": "SSL_CERT_FILE",
    "proxy": "ALL_PROXY",
    "timeout": "UV_HTTP_TIMEOUT",
    "default-timeout": "UV_HTTP_TIMEOUT",
}
"""uv reads neither pip's files nor its environment: pip's options, by uv's names for them."""

UNTRANSLATABLE = {"client-cert", "trusted-host", "keyring-provider", "use-deprecated"}
"""pip's options without an equal in uv: with any of these, pip does the work."""


class InstallError(Exception):
    """Something is missing that we cannot install; the text says what to do."""


def say(line: str) -> None:
    sys.stderr.write(f"signoff: {line}\n")


def run(command: list[str | Path], **environment: str) -> bool:
    """Run it, show what it says only when it fails, and return whether it succeeded."""
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.stderr.write(done.stdout)
    return done.returncode == 0


def pip_options(listing: str) -> dict[str, str]:
    """pip's effective options from `pip config list`, whose lines are `section.option='value'`.

    The environment (`:env:`) wins over `install`, which wins over `global`.
    """
    rank = {"global": 0, "install": 1, ":env:": 2}
    found: dict[str, tuple[int, str]] = {}
    for line in listing.splitlines():
        name, _, value = line.partition("=")
        section, _, option = name.partition(".")
        weight = rank.get(section, -1)
        if weight >= found.get(option, (0, ""))[0]:
            found[option] = (weight, value.strip("'\"").replace("\\n", " ").strip())
    return {option: value for option, (_, value) in found.items()}


def uv_environment(options: dict[str, str]) -> dict[str, str] | None:
    """pip's options as uv's environment; None when uv would not do what pip is told to do."""
    if UNTRANSLATABLE & options.keys():
        return None
    translated = {}
    for option, value in options.items():
        name = UV_NAMES.get(option)
        if name is None or name in os.environ:
            continue
        if option == "find-links":  # pip skips a folder that is missing, uv fails
            places = [place for place in value.split() if "://" in place or Path(place).exists()]
            value = ",".join(places)
        if value:
            translated[name] = value
    return translated


def make_environment() -> None:
    """Create the virtual environment; without pip of its own, which takes three seconds."""
    if PYTHON.exists():
        return
    say("making .venv …")
    if not run([sys.executable, "-m", "venv", "--without-pip", VENV]):
        raise InstallError(
            f"{sys.executable} cannot make virtual environments. On Debian and Ubuntu: "
            "apt-get install python3-venv python3-pip."
        )


def pip(*arguments: str | Path) -> list[str | Path]:
    return [sys.executable, "-m", "pip", f"--python={PYTHON}", *arguments]


def install(lock: Path) -> None:
    """Install what `lock` lists, and this project in place, so that `signoff` is a command."""
    options = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"],
        capture_output=True,
        text=True,
        check=False,
    )
    if options.returncode:
        raise InstallError(f"{sys.executable} has no pip. On Debian and Ubuntu: apt-get install python3-pip.")
    environment = uv_environment(pip_options(options.stdout))
    hashed = ("--no-deps", "--require-hashes", "-r")
    ourselves = ("--no-deps", "--no-build-isolation", "--editable", ROOT)
    uv = VENV / "bin" / "uv"
    if environment is not None and (uv.exists() or run(pip("install", "--quiet", *hashed, INSTALLER_LOCK))):
        with_uv = (uv, "pip", "install", "--quiet", f"--python={PYTHON}")
        if run([*with_uv, *hashed, lock], **environment) and run([*with_uv, *ourselves], **environment):
            return
        say("uv could not; trying again with pip …")
    if not run(pip("install", "--quiet", *hashed, lock)) or not run(pip("install", "--quiet", *ourselves)):
        raise InstallError(
            "The packages could not be installed. pip's reason stands above; most often it is the "
            "connection, or an index that does not have them."
        )


def fetch_jars_meanwhile() -> "subprocess.Popen[str] | None":
    """With Maven there, Kafka's jars come while the packages do; else `signoff up` gets them."""
    if not shutil.which("mvn"):
        return None
    return subprocess.Popen([sys.executable, "-m", "worker.adapters.embedded.jars"], cwd=ROOT, text=True)


def main() -> int:
    if sys.version_info < OLDEST_PYTHON or sys.argv[1:] not in (["up"], ["dev"]):
        say("use: python3.11 deploy/install.py up|dev (any Python from 3.11 on)")
        return 2
    began = time.monotonic()
    jars = fetch_jars_meanwhile()
    try:
        make_environment()
        say("installing packages …")
        install(LOCKS[sys.argv[1]])
        say(f"packages are in after {time.monotonic() - began:.0f} s")
    except InstallError as error:
        say(str(error))
        return 1
    finally:
        if jars:
            jars.wait()  # what it missed, `signoff up` tries again and explains
    return 0


if __name__ == "__main__":
    sys.exit(main())
