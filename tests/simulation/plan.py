"""What a run is made of."""

from dataclasses import dataclass

FAULTS = (
    "crashes",
    "freezes",
    "payments",
    "executors",
    "shop",
    "clock",
    "replays",
    "rewinds",
    "rebalances",
    "database",
    "broker",
    "threads",
)


@dataclass(frozen=True, slots=True)
class Plan:
    """`cases` are raised over `days`; `faults` are those that may happen. `trouble` is how often a step brings any."""

    seed: int
    cases: int = 12
    workers: int = 2
    days: float = 3.0
    faults: tuple[str, ...] = FAULTS
    trouble: float = 0.05

    def __str__(self) -> str:
        """As arguments of the command that runs it."""
        parts = {
            "seed": self.seed,
            "cases": self.cases,
            "workers": self.workers,
            "days": f"{self.days:g}",
            "trouble": f"{self.trouble:g}",
        }
        named = " ".join(f"--{name} {value}" for name, value in parts.items())
        return f"{named} --faults {','.join(self.faults)}"
