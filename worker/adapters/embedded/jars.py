"""Apache Kafka's jars: found, fetched once, and never run unless their SHA-256 is the committed
one.

`kafka_jars.sha256` lists them by their path in a Maven repository, as `sha256sum` would. They come
from wherever the user's own Maven or jgo settings say (no address stands here) into one folder of
the user's cache, and every start hashes that folder: 44 MiB, a tenth of a second.

`python -m worker.adapters.embedded.jars` fetches them ahead of time; it needs nothing but the
standard library, and `mvn` or jgo when they are not there yet.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from worker.adapters.embedded.errors import EmbeddedError

KAFKA_VERSION = "4.3.1"
CHECKSUMS = Path(__file__).with_name("kafka_jars.sha256")
HASHING_THREADS = 4

Fetch = Callable[[list["Jar"], Path], None]
"""Brings the jars into a folder laid out as a Maven repository. May bring wrong ones: they are
checked after.
"""


@dataclass(frozen=True, slots=True)
class Jar:
    """One jar: `path` in a Maven repository, such as
    `org/slf4j/slf4j-api/1.7.36/slf4j-api-1.7.36.jar`.
    """

    path: str
    sha256: str

    @property
    def file_name(self) -> str:
        return self.path.rsplit("/", 1)[1]

    @property
    def coordinates(self) -> tuple[str, str, str]:
        """Group, artifact and version."""
        *group, artifact, version, _ = self.path.split("/")
        return ".".join(group), artifact, version


def listed_jars(checksums: Path = CHECKSUMS) -> list[Jar]:
    """The jars that make a broker, in the order of the committed list."""
    rows = (line.split() for line in checksums.read_text().splitlines() if line.strip())
    return [Jar(path=path, sha256=sha256) for sha256, path in rows]


def default_cache() -> Path:
    """The user's cache folder for these jars (XDG Base Directory)."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "signoff" / f"kafka-{KAFKA_VERSION}"


def class_path(
    cache: Path | None = None,
    progress: Callable[[str], None] = lambda line: None,
    fetch: Fetch | None = None,
) -> list[Path]:
    """All jars, checked. Fetches what is missing; offline and fast when nothing is.

    Raises EmbeddedError when a jar cannot be fetched or is not the one that is listed.
    """
    cache = cache or default_cache()
    jars = listed_jars()
    missing = [jar for jar in jars if not (cache / jar.file_name).exists()]
    if missing:
        how = fetch or available_fetch()
        progress(f"fetching {len(missing)} jars of Apache Kafka {KAFKA_VERSION} (once, 44 MiB)")
        try:
            cache.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=cache, prefix="fetch-") as staging:
                how(missing, Path(staging))
                _verify(missing, [Path(staging) / jar.path for jar in missing])
                for jar in missing:
                    (Path(staging) / jar.path).replace(cache / jar.file_name)
        except OSError as error:
            raise EmbeddedError(
                f"The jars of Apache Kafka cannot be kept in {cache}: {error}. Make room or make "
                "that folder writable, or point XDG_CACHE_HOME elsewhere."
            ) from error
    files = [cache / jar.file_name for jar in jars]
    _verify(jars, files)
    return files


def _verify(jars: list[Jar], files: list[Path]) -> None:
    """Raise EmbeddedError for the first file that is not what the committed list says."""
    with ThreadPoolExecutor(HASHING_THREADS) as pool:
        sums = list(pool.map(_sha256, files))
    for jar, file, actual in zip(jars, files, sums, strict=True):
        if actual != jar.sha256:
            raise EmbeddedError(
                f"{jar.file_name} is not the file that was reviewed: its SHA-256 is "
                f"{actual or 'none (no file)'}, {CHECKSUMS.name} says {jar.sha256}. Nothing was "
                f"started. Delete {file} and try again; if it comes back different, the place it "
                "comes from is not to be trusted."
            )


def _sha256(file: Path) -> str:
    try:
        with file.open("rb") as content:
            return hashlib.file_digest(content, "sha256").hexdigest()
    except FileNotFoundError:
        return ""


def available_fetch() -> Fetch:
    """Maven where it is installed, because it knows the user's mirrors; else jgo, which is a Python
    package.

    Raises EmbeddedError when there is neither.
    """
    if shutil.which("mvn"):
        return fetch_with_maven
    return fetch_with_jgo


def fetch_with_maven(jars: list[Jar], into: Path) -> None:
    """Let `mvn` resolve exactly the listed artifacts, without what they depend on, and copy what it
    found.
    """
    exclusion = "<exclusion><groupId>*</groupId><artifactId>*</artifactId></exclusion>"
    dependencies = "".join(
        "<dependency><groupId>{}</groupId><artifactId>{}</artifactId><version>{}</version>"
        "<exclusions>{}</exclusions></dependency>".format(*jar.coordinates, exclusion)
        for jar in jars
    )
    pom = into / "pom.xml"
    pom.write_text(
        '<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>'
        "<groupId>signoff</groupId><artifactId>embedded-kafka</artifactId><version>1</version>"
        f"<packaging>pom</packaging><dependencies>{dependencies}</dependencies></project>"
    )
    listing = into / "class-path"
    _run(
        [
            *("mvn", "--batch-mode", "--quiet", f"--file={pom}", "dependency:build-classpath"),
            *("-DincludeScope=runtime", f"-Dmdep.outputFile={listing}"),
        ],
        advice="Check Maven's settings.xml and your connection, or take mvn off the PATH.",
    )
    found = {Path(entry).name: Path(entry) for entry in listing.read_text().split(os.pathsep)}
    for jar in jars:
        if source := found.get(jar.file_name):
            target = into / jar.path
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)


def fetch_with_jgo(jars: list[Jar], into: Path) -> None:
    """Fetch by jgo, in a process of its own: ours need not load all that it needs."""
    _run(
        [
            sys.executable,
            "-m",
            "worker.adapters.embedded.jgo_fetch",
            str(into),
            *(jar.path for jar in jars),
        ],
        advice="Check your connection; a mirror goes into ~/.config/jgo.conf, [repositories].",
    )


def _run(command: list[str], advice: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        said = (done.stdout + done.stderr).strip()[-2_000:]
        raise EmbeddedError(f"The jars of Apache Kafka could not be fetched. {advice} It said:\n{said}")


def main() -> int:
    """Fetch and check; 0 when all jars are in the cache."""
    try:
        class_path(progress=lambda line: print(line, file=sys.stderr))  # noqa: T201 - a command
    except EmbeddedError as error:
        print(f"signoff: {error}", file=sys.stderr)  # noqa: T201 - a command
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
