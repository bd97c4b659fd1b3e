"""`signoff dead-letters`: the records that were refused, why, and sending them again once that is mended."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Annotated, Any

import typer
from psycopg import AsyncConnection

from schemas.values import RejectionReason
from worker.adapters.kafka.sending import Sender, Sending, sender
from worker.adapters.kafka.topics import missing_topics
from worker.adapters.postgres.dead_letters import (
    DeadLetter,
    RefusedRecord,
    find_dead_letters,
    list_dead_letters,
    mark_replayed,
    not_yet_replayed,
)
from worker.cli.connection import settings_for_command
from worker.cli.database import connected
from worker.cli.failure import Failure
from worker.cli.named_failures import named_failures, patiently
from worker.cli.output import (
    AsJson,
    in_utc,
    instant,
    note,
    print_fields,
    print_json,
    print_line,
    print_table,
    printable,
)
from worker.settings import Settings

HEAD_CHARACTERS = 2000
"""How much of a value `show` prints."""

LARGEST_ID = 2**63 - 1

dead_letters = typer.Typer(no_args_is_help=True, help="Records that were refused: list, show, send again.")
Reason = Annotated[RejectionReason | None, typer.Option(help="Only those refused for this reason.")]


@dead_letters.command("list")
def show_list(
    reason: Reason = None,
    topic: Annotated[str | None, typer.Option(help="Only those of this topic, named without its prefix.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Those that were replayed, too.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many.")] = 50,
    as_json: AsJson = False,
) -> None:
    """List refused records, newest first."""
    letters = asyncio.run(_list(settings_for_command(), reason, topic, everything, limit))
    if as_json:
        print_json([_document(letter) for letter in letters])
    elif letters:
        print_table(
            ("id", "record", "reason", "detail", "refused", "replayed"),
            [
                (
                    str(letter.dead_letter_id),
                    letter.place,
                    letter.reason,
                    letter.detail,
                    in_utc(letter.rejected_at),
                    in_utc(letter.replayed_at),
                )
                for letter in letters
            ],
            long=("detail",),
        )
    else:
        note("no dead letters")
    if len(letters) == limit:
        note(f"the newest {limit}; there may be more, see --limit")


@dead_letters.command("show")
def show_one(
    dead_letter_id: Annotated[int, typer.Argument(metavar="ID", min=1, max=LARGEST_ID)], as_json: AsJson = False
) -> None:
    """Show one refused record: why, where from, its headers and the head of its value."""
    (letter,) = asyncio.run(_find(settings_for_command(), [dead_letter_id]))
    if as_json:
        print_json(_full_document(letter))
        return
    print_fields(
        [
            ("dead letter", str(letter.dead_letter_id)),
            ("record", letter.place),
            ("reason", letter.reason),
            ("detail", letter.detail),
            ("refused", in_utc(letter.rejected_at)),
            ("replayed", in_utc(letter.replayed_at)),
            ("sha256", letter.sha256),
            ("key", "none" if letter.key is None else head_of(letter.key)),
            *((f"header {name}", _header(raw)) for name, raw in letter.original_headers),
            ("size", "no value" if letter.value is None else f"{len(letter.value)} bytes"),
        ]
    )
    if letter.value:
        print_line()
        print_line(head_of(letter.value))
    note(f"once its cause is mended: signoff dead-letters replay {letter.dead_letter_id}")


@dead_letters.command("replay")
def replay(
    ids: Annotated[list[int] | None, typer.Argument(metavar="[ID]...", min=1, max=LARGEST_ID)] = None,
    everything: Annotated[bool, typer.Option("--all", help="All that were not replayed yet.")] = False,
    reason: Reason = None,
    as_json: AsJson = False,
) -> None:
    """Send refused records to their topics again, byte for byte as they came."""
    if bool(ids) == everything:
        raise typer.BadParameter("give the ids of dead letters, or --all", param_hint="ID")
    if reason is not None and not everything:
        raise typer.BadParameter("goes with --all", param_hint="--reason")
    replayed = asyncio.run(_replay(settings_for_command(), ids, reason))
    if as_json:
        print_json({"replayed": replayed})
    else:
        print_line(f"replayed {len(replayed)} dead letters")


async def _list(
    settings: Settings, reason: RejectionReason | None, topic: str | None, replayed: bool, limit: int
) -> list[DeadLetter]:
    with named_failures(settings):
        async with connected(settings) as connection:
            return await list_dead_letters(connection, reason=reason, topic=topic, replayed=replayed, limit=limit)


async def _find(settings: Settings, ids: Sequence[int]) -> list[RefusedRecord]:
    with named_failures(settings):
        async with connected(settings) as connection:
            return await _all_of(connection, ids)


async def _all_of(connection: AsyncConnection[Any], ids: Sequence[int]) -> list[RefusedRecord]:
    """Raises Failure when one does not exist: then none is touched."""
    letters = await find_dead_letters(connection, ids)
    unknown = set(ids) - {letter.dead_letter_id for letter in letters}
    if unknown:
        named = ", ".join(str(one) for one in sorted(unknown))
        raise Failure(f"no dead letter has the id {named}; `signoff dead-letters list --all` shows them")
    return letters


async def _replay(settings: Settings, ids: Sequence[int] | None, reason: RejectionReason | None) -> list[int]:
    """The ids of those that were sent and marked. What is sent twice after a crash has its effect once."""
    servers = settings.kafka_bootstrap_servers
    done: list[int] = []
    with named_failures(settings):
        async with patiently():
            missing = await missing_topics(servers, settings.topic_prefix)
        if missing:
            raise Failure(f"Kafka at {servers} lacks the topics {', '.join(missing)}; run `signoff migrate` first")
        async with connected(settings, read_only=False) as connection, sender(servers) as producer:
            async for page in _pages(connection, ids, reason):
                await _send(producer, page, settings.topic_prefix)
                sent = [letter.dead_letter_id for letter in page]
                await mark_replayed(connection, sent)
                done += sent
    return done


async def _pages(
    connection: AsyncConnection[Any], ids: Sequence[int] | None, reason: RejectionReason | None
) -> AsyncIterator[list[RefusedRecord]]:
    if ids is None:
        async for page in not_yet_replayed(connection, reason):
            yield page
        return
    letters = await _all_of(connection, ids)
    for letter in letters:
        if letter.replayed_at is not None:
            note(f"dead letter {letter.dead_letter_id} was replayed before, at {in_utc(letter.replayed_at)}")
    yield letters


async def _send(producer: Sender, letters: Sequence[RefusedRecord], prefix: str) -> None:
    """A record of which several parts were refused is sent once: its other parts are known, and answered so."""
    for letter in {letter.record: letter for letter in letters}.values():
        await producer.send(Sending(prefix + letter.topic, letter.key, letter.value, letter.original_headers))


def head_of(raw: bytes) -> str:
    """The beginning as text in which nothing moves the cursor; bytes that are no text stay visible as escapes."""
    text = raw[: HEAD_CHARACTERS * 4].decode("utf-8", errors="backslashreplace")
    rest = len(text) > HEAD_CHARACTERS or len(raw) > HEAD_CHARACTERS * 4
    return printable(text[:HEAD_CHARACTERS]) + (" …" if rest else "")


def _header(raw: bytes | None) -> str:
    return "none" if raw is None else head_of(raw)


def _document(letter: DeadLetter) -> dict[str, Any]:
    return {
        "dead_letter_id": letter.dead_letter_id,
        "topic": letter.topic,
        "partition": letter.partition,
        "offset": letter.offset,
        "part": letter.part,
        "reason": letter.reason,
        "detail": letter.detail,
        "rejected_at": instant(letter.rejected_at),
        "replayed_at": instant(letter.replayed_at),
    }


def _full_document(letter: RefusedRecord) -> dict[str, Any]:
    """Bytes in hexadecimal: a refused value need not be text."""
    return {
        **_document(letter),
        "sha256": letter.sha256,
        "key_hex": None if letter.key is None else letter.key.hex(),
        "value_hex": None if letter.value is None else letter.value.hex(),
        "headers": [{"name": name, "value_hex": value} for name, value in letter.headers],
        "head": None if letter.value is None else head_of(letter.value),
    }
