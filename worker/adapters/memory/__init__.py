"""The ports in memory: no I/O, no clock but the one that is handed in, and the behaviour of the real adapters.

Read `database` for what is kept, `store` for what a commit checks and writes, `inbox` for what is taken up and when.
They pass the same contract suites as the adapters they stand in for (tests/contracts), so that a test or a simulator
built on them speaks about the product.
"""
