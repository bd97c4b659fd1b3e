"""The register of reviewers as a file: people, what they may sign, and who decides while they are away.

`register_file.py` reads it, `entries.py` one person of it, `delegates.py` what holds among people. The register itself
is a table: `worker/adapters/postgres/reviewer_register.py`.
"""
