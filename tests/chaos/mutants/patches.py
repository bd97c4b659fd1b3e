"""The planted defects: one patch file each, with a head that says what it plants and which programs can see it."""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

HOME = Path(__file__).parent
ROOT = HOME.parents[2]

PROGRAMS = ("simulation", "chaos")
"""What may catch a mutant: the simulated house, or the chaos run with its checker."""

NOBODY = "nobody yet"
"""A hole: the defect is planted, and nothing is known to catch it."""

_COPIED = ("worker", "schemas", "tests", "pyproject.toml")


class UnusablePatch(Exception):
    """A patch file that has no head, or that the code has outgrown."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """`seen_by` are the programs that catch it, the cheaper one first."""

    name: str
    plants: str
    seen_by: tuple[str, ...]
    patch: Path

    @property
    def paths(self) -> list[str]:
        """The files that it changes, from the top of the checkout."""
        lines = self.patch.read_text(encoding="utf-8").splitlines()
        return [line.removeprefix("+++ b/") for line in lines if line.startswith("+++ b/")]


def all_mutants() -> list[Mutant]:
    return [read_mutant(path) for path in sorted(HOME.glob("*.patch"))]


def read_mutant(path: Path) -> Mutant:
    """Raises UnusablePatch for a head that does not say what `Mutant` says."""
    head: dict[str, str] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line:
            break
        name, _, said = line.partition(": ")
        head[name] = said
    said = head.get("Seen by", "")
    seen_by = () if said == NOBODY else tuple(said.split(", "))
    if not head.get("Plants") or not set(seen_by) <= set(PROGRAMS):
        raise UnusablePatch(
            f"{path.name}: begin with the lines `Plants: <the defect>` and `Seen by: {', '.join(PROGRAMS)}` "
            "(or one of the two, or {NOBODY}), and leave a line empty before the diff"
        )
    return Mutant(path.stem, head["Plants"], seen_by, path.absolute())


def copied(tree: Path) -> None:
    """All code and tests, as they are now, under `tree`."""
    for name in _COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(source, tree / name)


def planted(mutant: Mutant, tree: Path) -> None:
    """Puts the defect into the copy. Raises UnusablePatch."""
    # Below a repository git would look for the paths of the patch from its top, and skip in silence what is not there.
    environment = {**os.environ, "GIT_DIR": os.devnull}
    done = subprocess.run(
        ["git", "apply", "-C1", str(mutant.patch)],  # noqa: S607 - the git that this checkout was made with
        cwd=tree,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise UnusablePatch(f"{mutant.patch.name} does not fit the code any more; make it anew\n{done.stderr.strip()}")
