"""The graph of a case: edges only.

    START → assess ─┬──────── nobody needs to be asked ───────────────┐
              ▲     │                                                 ▼
              │     └→ human_review ─── all levels have signed ───→ execute → END
              │          │    ▲  │
              └ changes ─┘    │  └── reject ───────────────────────→ reject → END
               requested      │
                              └── another level, or the same one again

`human_review` is the one place where a thread waits. Levels, quorum, rounds and two-step levels
are the same question asked again, never new nodes: each node costs time in every case, and threads
that wait in it outlive a release.
"""

from langgraph.graph import END, START, StateGraph

from worker.graph.nodes import assess, execute, human_review, reject
from worker.graph.routing import Route, after_assessment, after_review
from worker.graph.state import Dependencies, State

GRAPH_VERSION = "2"
"""Stored with each case. Raise it when a waiting thread would go another way than it would have."""


def build_graph() -> StateGraph[State, Dependencies]:
    graph = StateGraph(State, context_schema=Dependencies)
    graph.add_node("assess", assess)
    graph.add_node("human_review", human_review)
    graph.add_node("execute", execute)
    graph.add_node("reject", reject)
    graph.add_edge(START, "assess")
    graph.add_conditional_edges("assess", Route(after_assessment), ["human_review", "execute"])
    graph.add_conditional_edges("human_review", Route(after_review), ["human_review", "assess", "execute", "reject"])
    graph.add_edge("execute", END)
    graph.add_edge("reject", END)
    return graph
