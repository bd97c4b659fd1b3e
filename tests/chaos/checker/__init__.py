"""Judges a run by what it left behind: the oracle of the chaos harness.

It imports nothing of `worker`, `schemas` or the rest of `tests`, and nothing outside the standard library: what is
wrong there must not be wrong here as well. Each rule is worked out again from first sources: the payment service's own
ledger, what executors did, the bytes of the topics, and what everybody says they sent. Where it must believe the
database it asks for two witnesses.

Read `folder` (what a run's folder holds), `run` (all of it, joined), `judgement` (which module judges what), and then
the invariants in their order.
"""
