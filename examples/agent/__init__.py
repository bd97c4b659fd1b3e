"""A conversational agent whose risky tool calls wait for a signature.

Read in this order: `tools.py` (what it can do), `graph.py` (how it thinks, asks and goes on), `signoff_client.py` (what
it says to Signoff and hears from it), `conversations.py` (who may continue a thread, and when). It knows the published
language, `schemas`, and nothing of the worker: it is an example of how to integrate.
"""
