"""Finds the class that a configuration means: one of ours, one that a package announces, or `module:Class`."""

from importlib import import_module
from importlib.metadata import entry_points

from worker.adapters.executors.executor import Executor
from worker.adapters.policy.problems import did_you_mean

GROUP = "signoff.executors"
"""The group of entry points under which a package announces executors of its own."""

SHIPPED = {
    "email": "worker.adapters.executors.email:EmailExecutor",
    "http": "worker.adapters.executors.http_call:HttpExecutor",
    "sql": "worker.adapters.executors.sql:SqlExecutor",
}
"""By the name that the configuration uses. No package can take the place of these."""


class NoSuchExecutor(Exception):
    """The message is a reason, `advice` what to do about it."""

    def __init__(self, reason: str, advice: str) -> None:
        super().__init__(reason)
        self.advice = advice


def executor_class(use: str) -> type[Executor]:
    """Imports the module of what `use` names. Raises NoSuchExecutor."""
    announced = {entry.name: entry.value for entry in entry_points(group=GROUP)}
    address = SHIPPED.get(use) or announced.get(use) or use
    module_name, colon, class_name = address.partition(":")
    if not colon:
        raise NoSuchExecutor(
            f"`use: {use}` names no executor", f"write module:Class, or {did_you_mean(use, {**announced, **SHIPPED})}"
        )
    try:
        module = import_module(module_name)
    except Exception as error:
        raise NoSuchExecutor(
            f"{module_name} cannot be imported: {error or type(error).__name__}",
            "install its package, or put its folder into PYTHONPATH",
        ) from error
    found = getattr(module, class_name, None)
    if not (isinstance(found, type) and issubclass(found, Executor)):
        raise NoSuchExecutor(
            f"{address} is no class that derives from Executor", "derive it from worker.adapters.executors.executor"
        )
    return found
