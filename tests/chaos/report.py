"""What a campaign came to, for scripts and for people.

Owns: the figures and the failing rounds, each with the command that plays it again.
Never does: running anything.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tests.chaos.round import Tally


@dataclass
class Report:
    """What a campaign came to."""

    store: str
    seed: int
    tally: Tally = field(default_factory=Tally)
    rounds: int = 0
    seconds: float = 0.0
    failing: list[dict[str, Any]] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """For `--json`."""
        tally = self.tally
        return {
            "store": self.store,
            "seed": self.seed,
            "kills": tally.kills,
            "worker_kills": tally.worker_kills,
            "sandbox_kills": tally.sandbox_kills,
            "kills_in_mid_write": tally.in_mid_write,
            "kills_by_command": dict(tally.commands),
            "suspensions": tally.suspensions,
            "takeovers": tally.takeovers,
            "runs": tally.runs,
            "edits": tally.edits,
            "rounds": self.rounds,
            "seconds": round(self.seconds, 1),
            "failing": self.failing,
        }


def spelled(report: Report) -> list[str]:
    """The report for a person, line by line."""
    found = report.as_dict()
    failing = found.pop("failing")
    lines = [f"{name}: {value}" for name, value in found.items()]
    for one in failing:
        lines += ["", f"round {one['round']} failed; its folder is {one['folder']}", *one["log"]]
        lines += [one["error"], f"replay: {one['replay']}"]
    return lines
