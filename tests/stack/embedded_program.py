"""A program that runs the embedded pair and waits: what a test kills to see what becomes of it.

`python -m tests.stack.embedded_program DIR` prints one line of JSON when both serve, and stops them
in order when its standard input ends.
"""

import json
import sys
from pathlib import Path

from worker.adapters.embedded.errors import EmbeddedError
from worker.adapters.embedded.stack import EmbeddedStack


def main() -> int:
    stack = EmbeddedStack(Path(sys.argv[1]))
    try:
        stack.start()
    except EmbeddedError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    shown = {"kafka": stack.kafka, "database": stack.database, "pids": stack.pids}
    sys.stdout.write(json.dumps(shown) + "\n")
    sys.stdout.flush()
    sys.stdin.read()
    stack.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
