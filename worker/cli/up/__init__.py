"""`signoff up`: everything that a newcomer needs, started, shown and ended by one command.

Read in this order: `command` (what may be asked for), `session` (start, work, stop), `services` (Kafka and
PostgreSQL), `crew` (the workers, and how they come back), `demo` with its `scenarios`, and `view` with its
`narration` (one readable line for each event).
"""

from worker.cli.up.command import up

__all__ = ["up"]
