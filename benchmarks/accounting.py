"""What work costs: processor time of process trees, bytes on disk, and how much of the machine others used."""

from collections.abc import Iterable

import psutil
import psycopg


def cpu_seconds(pids: Iterable[int]) -> float:
    """User and system time of these processes and all below them, those that have ended included."""
    total = 0.0
    for process in _trees(pids):
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        ended = getattr(times, "children_user", 0.0) + getattr(times, "children_system", 0.0)
        total += times.user + times.system + ended
    return total


def machine_busy_seconds() -> float:
    """Processor time that the whole machine has used, whoever used it."""
    times = psutil.cpu_times()
    idle = times.idle + getattr(times, "iowait", 0.0)
    guests = getattr(times, "guest", 0.0) + getattr(times, "guest_nice", 0.0)  # they are in `user` already
    return sum(times) - idle - guests


def database_bytes(address: str) -> int:
    """Tables and indexes of a database, with their free space."""
    with psycopg.connect(address) as connection:
        row = connection.execute("SELECT pg_database_size(current_database())").fetchone()
    return int(row[0]) if row else 0


def table_bytes(address: str) -> dict[str, tuple[int, int]]:
    """Of each table: its bytes with TOAST, and those of its indexes. What is dead and not yet reused counts."""
    query = "SELECT relname, pg_table_size(relid), pg_indexes_size(relid) FROM pg_stat_user_tables"
    with psycopg.connect(address) as connection:
        return {name: (table, indexes) for name, table, indexes in connection.execute(query)}


def _trees(pids: Iterable[int]) -> list[psutil.Process]:
    found: dict[int, psutil.Process] = {}
    for pid in pids:
        try:
            root = psutil.Process(pid)
            for process in (root, *root.children(recursive=True)):
                found[process.pid] = process
        except psutil.NoSuchProcess:
            continue
    return list(found.values())
