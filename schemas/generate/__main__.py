"""`python -m schemas.generate` writes what is published of the contract; with `--check` it only compares."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from schemas.generate.files import drift, write

ROOT = Path(__file__).resolve().parents[2]


def main(arguments: Sequence[str] | None = None, *, root: Path = ROOT) -> int:
    parser = argparse.ArgumentParser(prog="python -m schemas.generate", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, exit with 1 when a file differs")
    if not parser.parse_args(arguments).check:
        write(root)
        return 0
    sentences = drift(root)
    for sentence in sentences:
        sys.stderr.write(f"{sentence} Run: python -m schemas.generate\n")
    return 1 if sentences else 0


if __name__ == "__main__":
    sys.exit(main())
