"""Fetches listed artifacts with jgo: `python -m worker.adapters.embedded.jgo_fetch INTO PATH...`.

Each PATH is a file's path in a Maven repository. The repositories are those of the user's jgo
settings, and jgo's default when there are none. What comes is checked by the caller.
"""

import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from jgo.config import GlobalSettings
from jgo.maven import MavenContext

from worker.adapters.embedded.jars import Jar

AT_ONCE = 8
"""More only crowds the name server: jgo opens a connection for each file."""

ATTEMPTS = 3
TIMEOUT_SECONDS = 30


def fetch(context: MavenContext, jar: Jar) -> None:
    """Bring one jar into the context's folder, trying again after a failure of the network."""
    group, artifact, version = jar.coordinates
    wanted = context.project(group, artifact).at_version(version).artifact()
    for attempt in range(1, ATTEMPTS + 1):
        try:
            wanted.resolve()
            return
        except OSError:  # requests' errors are OSErrors
            (context.repo_cache / jar.path).unlink(missing_ok=True)
            if attempt == ATTEMPTS:
                raise
            time.sleep(attempt)


def main() -> None:
    into, *paths = sys.argv[1:]
    context = MavenContext(
        repo_cache=Path(into),
        remote_repos=GlobalSettings.load().repositories or None,
        timeout=TIMEOUT_SECONDS,
    )
    jars = [Jar(path=path, sha256="") for path in paths]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(lambda jar: fetch(context, jar), jars))


if __name__ == "__main__":
    main()
