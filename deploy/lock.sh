#!/usr/bin/env bash
# Regenerates the locks: universal (Linux and macOS, Python 3.11 to 3.13), with hashes, and
# without any address. One resolution serves all: the smaller ones are cut out of requirements.lock.
# Arguments (such as --upgrade) go to the first resolution.
set -euo pipefail
cd "$(dirname "$0")/.."

compile() {
    .venv/bin/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 \
        --no-header --no-annotate --no-emit-index-url --no-emit-find-links "$@"
}

compile pyproject.toml --extra embedded --group dev --output-file requirements.lock "$@"
rm -f deploy/*.lock # what they held before must not weigh
compile pyproject.toml --extra embedded --group build --constraint requirements.lock --output-file deploy/up.lock
compile pyproject.toml --constraint requirements.lock --output-file deploy/run.lock
compile --group build --constraint requirements.lock --output-file deploy/build.lock
compile --group installer --constraint requirements.lock --output-file deploy/installer.lock
