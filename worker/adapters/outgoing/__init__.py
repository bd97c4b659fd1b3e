"""Requests that this worker sends to addresses which configuration, or an agent, names."""
