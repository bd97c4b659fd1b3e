"""The actions of a request: which are left to run, which a reviewer signs, and what became of each."""

from collections.abc import Iterable

from schemas.values import Action, ActionResult, ActionStatus, Changes, Proposal
from worker.domain.errors import InvalidChanges
from worker.domain.exception_case import Case, CaseState
from worker.domain.order_exception import Facts


def identity(action: Action) -> str:
    """Its id in the request; every action of a request that was read has one."""
    if action.id is None:
        raise ValueError(f"an action {action.name} came in without an id")
    return action.id


def to_run(proposal: Proposal, facts: Facts) -> tuple[Action, ...]:
    """What an approved proposal runs, in the order of the request: what was signed, and what wants no signature."""
    place = {action.id: index for index, action in enumerate(facts.exception.actions)}
    approved = (*(proposal.actions or ()), *(proposal.passing or ()))
    return tuple(sorted(approved, key=lambda action: place[action.id]))


def let_pass(proposal: Proposal, passing: Iterable[str]) -> Proposal:
    """The proposal with the actions of those names beside the ones that want a signature; a question is always about
    one at least."""
    names = frozenset(passing)
    free = tuple(action for action in proposal.actions or () if action.name in names)
    wanted = tuple(action for action in proposal.actions or () if action.name not in names)
    if not free or not wanted:
        return proposal
    return proposal.model_copy(update={"actions": wanted, "passing": free})


def changed_actions(proposal: Proposal, changes: Changes) -> tuple[Action, ...]:
    """The actions as a reviewer keeps and edits them. Both name actions by their index among those shown.

    Raises InvalidChanges for an index that was not shown or is named twice, for an edit of an action that is not
    kept, and when none is kept.
    """
    shown = proposal.actions or ()
    if not shown:
        raise InvalidChanges("`changes`: `approved_actions` and `edited_actions` belong to an action request")
    kept = changes.approved_actions if changes.approved_actions is not None else tuple(range(len(shown)))
    _check_indexes(kept, len(shown), "approved_actions")
    if not kept:
        raise InvalidChanges("`changes.approved_actions`: name at least one action, or reject")
    edits = changes.edited_actions or ()
    _check_indexes([edit.index for edit in edits], len(shown), "edited_actions")
    left_out = sorted({edit.index for edit in edits} - set(kept))
    if left_out:
        raise InvalidChanges(f"`changes.edited_actions`: action {left_out[0]} is edited, and not among those approved")
    arguments = {edit.index: edit.args for edit in edits}
    return tuple(_with(shown[index], arguments.get(index)) for index in sorted(kept))


def as_edits(before: Iterable[Action], after: Iterable[Action]) -> tuple[Action, ...]:
    """Those among `after` whose arguments are not what they were."""
    arguments = {action.id: action.args for action in before}
    return tuple(action for action in after if action.id in arguments and action.args != arguments[action.id])


def about_to_run(facts: Facts, approved: Iterable[Action], here: Iterable[Action]) -> Facts:
    """The facts as a round begins to run what was approved. What is run here has no result yet, whatever came of it in
    an earlier round; the rest is whoever's who asked, from now on."""
    latest = {action.id: action for action in (*facts.approved, *approved)}
    run_here = {action.id for action in here}
    left = tuple(action for action in approved if action.id not in run_here)
    results = tuple(result for result in facts.results if result.id not in run_here)
    for action in left:
        results = noted(results, _approved(action))
    return facts.model_copy(update={"approved": tuple(latest.values()), "results": results})


def approved_of(case: Case) -> tuple[Action, ...]:
    """All actions that were approved, in their final form and in the order of the request."""
    latest = {action.id: action for action in case.facts.approved}
    if case.state is CaseState.EXECUTED:
        latest |= {action.id: action for action in to_run(case.proposal, case.facts)}
    return tuple(latest[action.id] for action in case.exception.actions if action.id in latest)


def results_of(case: Case) -> tuple[ActionResult, ...]:
    """What became of each action that was asked for, once the case has ended."""
    known = {result.id: result for result in case.facts.results}
    approved = {action.id for action in approved_of(case)}
    return tuple(
        known.get(identity(action)) or (_approved(action) if action.id in approved else _refused(action))
        for action in case.exception.actions
    )


def _approved(action: Action) -> ActionResult:
    return ActionResult(id=identity(action), name=action.name, status=ActionStatus.APPROVED)


def _refused(action: Action) -> ActionResult:
    return ActionResult(id=identity(action), name=action.name, status=ActionStatus.REFUSED)


def noted(results: tuple[ActionResult, ...], latest: ActionResult) -> tuple[ActionResult, ...]:
    """The results with the latest one in the place of an earlier one of the same action."""
    return (*(result for result in results if result.id != latest.id), latest)


def _check_indexes(indexes: Iterable[int], shown: int, where: str) -> None:
    indexes = list(indexes)
    if len(set(indexes)) < len(indexes):
        raise InvalidChanges(f"`changes.{where}`: names an action twice")
    if any(index >= shown for index in indexes):
        raise InvalidChanges(f"`changes.{where}`: there are {shown} actions, counted from 0")


def _with(action: Action, arguments: dict[str, object] | None) -> Action:
    return action if arguments is None else action.model_copy(update={"args": arguments})
