"""What LangGraph would tell others about a run."""

import langsmith


def send_no_traces() -> None:
    """Order data goes to no tracing service because LANGSMITH_TRACING happens to be set."""
    langsmith.configure(enabled=False)
