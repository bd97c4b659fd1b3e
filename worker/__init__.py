"""Signoff: resolves order exceptions with people in the loop.

Read it in this order: `domain` (what a case is), `application` (one use case a file), `graph` (the LangGraph
thread of a case), `adapters/postgres` (how many cases are committed at once), `entrypoints` (what starts work),
and `bootstrap` (how it all hangs together). `docs/architecture.md` has the picture.
"""
