"""What teams run to publish exceptions, to send decisions and to watch what became of them.

Four programs: `raise_exception`, `submit_decision`, `watch` and `flood`. Each runs as a file
(`python producer_scripts/watch.py`) and as a module (`python -m producer_scripts.watch`). They know the published
language, `schemas`, and a Kafka client; of the worker they know nothing, so they are also an example of how to
integrate. docs/producing.md tells the rest.
"""
