"""What runs approved actions here. `executor` holds all that a new executor imports, `registry` all that are there."""
