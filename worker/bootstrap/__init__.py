"""The composition root: the only package that knows every layer, and how they hang together.

Read `worker` for one process and its parts, `providers` for what the settings choose among.
"""

from worker.bootstrap.worker import Worker, make_worker

__all__ = ["Worker", "make_worker"]
