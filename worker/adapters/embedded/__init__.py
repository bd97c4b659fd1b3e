"""A real Apache Kafka and a real PostgreSQL for a machine that has neither, from packages alone.

Read in this order: `stack` (both together), `kafka` and `postgres` (one each), `jars` (Kafka's code
and its checksums), `processes` (starting, watching and ending what is ours, and nothing else).
"""
