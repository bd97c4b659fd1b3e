"""The policy as a file: YAML with CEL conditions, checked at start, judged in microseconds.

Read `default_policy.yaml` first, then `vocabulary.py` (what a rule may look at) and `loading.py`
(from a file to an ApprovalPolicy). `built_in_rules.py` holds what no file can take away.
"""
