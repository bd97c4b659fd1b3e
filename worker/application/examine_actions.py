"""Before anybody signs an action: are its arguments what they must be, and what should a reviewer know of it?"""

from collections.abc import Iterable

from schemas.values import Action
from worker.application.ports import Ports
from worker.application.ports.executors import ActionRefused
from worker.domain.order_exception import ActionFindings, Facts
from worker.domain.tool_calls import identity


async def findings_of(actions: Iterable[Action], ports: Ports) -> tuple[ActionFindings, ...]:
    """What is known of each action. Raises ActionRefused, which names the action, and ActionUnavailable."""
    return tuple([await _examined(action, ports) for action in actions])


async def check_edits(edited: Iterable[Action], facts: Facts, ports: Ports) -> tuple[ActionFindings, ...]:
    """The findings of a case with those of the edited actions in place of the former ones.

    Raises ActionRefused for arguments that break the schema or have none, and for an edit that makes another kind of
    action of it; and ActionUnavailable.
    """
    found = {finding.id: finding for finding in facts.findings}
    for action in edited:
        before, after = found.get(identity(action)), await _examined(action, ports)
        if after.args_schema is None:
            raise _refused(action, "no JSON Schema of its arguments is known, so an edit cannot be checked")
        if before is not None and before.kind != after.kind:
            raise _refused(action, f"the edit makes {after.kind} of what was asked for as {before.kind}")
        found[after.id] = after
    return tuple(found.values())


async def _examined(action: Action, ports: Ports) -> ActionFindings:
    terms = ports.policy.actions.get(action.name)
    problem = terms.problem_with(action.args) if terms else None
    if problem is not None:
        raise _refused(action, problem)
    schema = dict(terms.args_schema) if terms and terms.args_schema else None
    if not ports.executors.runs(action.name):
        return ActionFindings(id=identity(action), args_schema=schema)
    try:
        examination = await ports.executors.examine(action)
    except ActionRefused as refused:
        raise _refused(action, str(refused)) from refused
    return ActionFindings(
        id=identity(action),
        executed_here=True,
        args_schema=schema or examination.args_schema,
        shown=examination.shown,
        kind=examination.kind,
    )


def _refused(action: Action, problem: str) -> ActionRefused:
    return ActionRefused(f"action {action.id} ({action.name}): {problem}")
