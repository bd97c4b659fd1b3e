"""The `signoff` command: one module for each thing that an operator does.

Exit codes: 0 done, 1 a failure that is named on standard error, 2 wrong usage.
"""

from worker.cli.main import main

__all__ = ["main"]
