"""The use cases, one a file, named by their verbs. `casework.py` says which one answers to what."""
