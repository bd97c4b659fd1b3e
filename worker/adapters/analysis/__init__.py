"""Analysts: a first look at an exception, by rules over its words or by a chat model.

Read `rules.py` first, then `chat_model.py`, which joins a model's opinion to that of the rules. `composition.py` makes
the one that the settings name; docs/analysts.md says what leaves the house.
"""
