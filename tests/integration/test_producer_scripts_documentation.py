"""The three Python examples of docs/producing.md, run as they are printed, one after the other."""

import asyncio
import re
import sys
from pathlib import Path

from worker.settings import Settings

PAGE = Path(__file__).resolve().parents[2] / "docs" / "producing.md"
EXAMPLE_S = 60


async def test_the_examples_raise_decide_and_consume(running_worker: Settings, tmp_path: Path) -> None:
    raising, deciding, consuming = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert await first_line_of(raising, running_worker, tmp_path) == ""
    assert (await first_line_of(deciding, running_worker, tmp_path)).startswith("ACCEPTED")
    assert (await first_line_of(consuming, running_worker, tmp_path)).startswith("refund-ORD-1001-line-3 executed")


async def first_line_of(example: str, settings: Settings, folder: Path) -> str:
    """Its first line of output, after which a consumer is stopped; an example that fails has none but an error."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        example,
        cwd=folder,
        env={
            "SIGNOFF_KAFKA_BOOTSTRAP_SERVERS": settings.kafka_bootstrap_servers,
            "SIGNOFF_TOPIC_PREFIX": settings.topic_prefix,
        },
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    assert process.stdout is not None
    try:
        line = await asyncio.wait_for(process.stdout.readline(), EXAMPLE_S)
        return line.decode()
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()
