"""From SIGNOFF_NOTIFICATIONS_FILE to endpoints and routes, or to every mistake that is in it."""

import os
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import yaml

from worker.adapters.notifications.endpoint_entries import NAME, read_endpoint
from worker.adapters.notifications.endpoints import EndpointOptions
from worker.adapters.notifications.problems import NotificationsError
from worker.adapters.notifications.review_link import BadLink, ReviewLink
from worker.adapters.notifications.route_entries import read_route
from worker.adapters.notifications.routing import Route, Router
from worker.adapters.policy.located_yaml import FileKind, line_of, root_of, sequence_of
from worker.adapters.policy.located_yaml import Mapping as Fields
from worker.adapters.policy.problems import Problems, content_of

__all__ = ["Configuration", "NotificationsError", "load_notifications", "parse_notifications"]

_START = "write `endpoints:` and `routes:`, as in docs/notifications.md"

NOTIFICATIONS = FileKind(
    max_bytes=256 * 1024, when_large="it names endpoints and routes, and no more", when_deep=_START, when_empty=_START
)


@dataclass(frozen=True, slots=True)
class Configuration:
    endpoints: Mapping[str, EndpointOptions]
    routes: tuple[Route, ...]
    link: ReviewLink | None

    def router(self, new_id: Callable[[], UUID]) -> Router:
        showing = frozenset(name for name, options in self.endpoints.items() if options.reason == "shown")
        return Router(self.routes, new_id=new_id, shows_reason=showing)


def load_notifications(
    path: Path, *, levels: Collection[str] | None = None, environment: Mapping[str, str] = os.environ
) -> Configuration:
    """`levels` are those that the policy has; without them a route may name any. Raises NotificationsError."""
    content = content_of(path, NotificationsError, "correct SIGNOFF_NOTIFICATIONS_FILE")
    return parse_notifications(content, str(path), levels=levels, environment=environment)


def parse_notifications(
    content: bytes, file: str, *, levels: Collection[str] | None = None, environment: Mapping[str, str]
) -> Configuration:
    """`file` is what messages call it. Raises NotificationsError."""
    problems = Problems()
    root = root_of(content, problems, NOTIFICATIONS)
    configuration = _read(root, levels, environment, problems) if root is not None else None
    if configuration is None or problems.found:
        raise NotificationsError(file, problems.found)
    return configuration


def _read(
    root: yaml.Node, levels: Collection[str] | None, environment: Mapping[str, str], problems: Problems
) -> Configuration:
    fields = Fields(root, "the file", problems, required=("endpoints", "routes"), optional=("review_url",))
    named = _endpoints(fields, problems)
    read = {name: read_endpoint(name, node, environment, problems) for name, node in named.items()}
    listed = fields.fields.get("routes")
    nodes = sequence_of(listed, "`routes`", problems) if listed is not None else []
    routes = [read_route(number, node, named, levels, problems) for number, node in enumerate(nodes, start=1)]
    kept = tuple(route for route in routes if route is not None)
    if listed is not None and len(kept) == len(nodes):
        _refuse_unused(named, kept, problems)
    endpoints = {name: options for name, options in read.items() if options is not None}
    return Configuration(endpoints, kept, _link(fields, problems))


def _endpoints(fields: Fields, problems: Problems) -> dict[str, yaml.Node]:
    node = fields.fields.get("endpoints")
    if node is None:
        return {}
    named = Fields(node, "`endpoints`", problems, optional=None)
    if not named.fields and isinstance(node, yaml.MappingNode):
        problems.add(named.line, "`endpoints` has none", "write `name: {use: …}` lines there")
    for name in named.fields:
        if not NAME.fullmatch(name):
            problems.add(named.lines[name], f"{name!a} cannot be the name of an endpoint", "use a-z, 0-9, - and _")
    return named.fields


def _refuse_unused(named: Mapping[str, yaml.Node], routes: Collection[Route], problems: Problems) -> None:
    used = {name for route in routes for name in route.to}
    for name, node in named.items():
        if name not in used:
            problems.add(line_of(node), f"no route leads to the endpoint {name}", "add a route, or take it out")


def _link(fields: Fields, problems: Problems) -> ReviewLink | None:
    template = fields.text("review_url")
    if template is None:
        return None
    try:
        return ReviewLink(template)
    except BadLink as error:
        advice = "write the address of a screen, such as https://desk.example/approvals/{approval_id}"
        problems.add(fields.lines["review_url"], f"`review_url` {error}", advice)
        return None
