"""How fast, and at what cost: the same work on the same broker and database, for us and for others.

Read `round_trips.py` first: what is measured. Then `systems.py` (who is measured), `load.py` (producers and
reviewers, and the clock) and `profile_worker.py` (where our own time goes).
"""
