"""What both stories of the demo stand on: how they are told, what they run with, how they end.

Owns: the voice of the story, the settings nobody's environment can change, the telling of runs.
Never does: deciding what happens; each story does.
Tested in: tests/acceptance/test_demo.py, tests/acceptance/test_demo_points.py.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from connector.cli import output

if TYPE_CHECKING:
    from connector.bootstrap import Project
    from connector.operations.outcomes import MapOutcome
    from connector.settings import Settings

FEWEST = 20
"""The story edits some of the first cards."""


@dataclass(frozen=True, slots=True)
class Teller:
    """Tells the story to a person; silent for a script."""

    quiet: bool

    def head(self, text: str) -> None:
        """The title of a part of the story."""
        if not self.quiet:
            output.stdout().print(f"\n[bold]{text}[/bold]", highlight=False)

    def line(self, text: str) -> None:
        """One thing that happens."""
        if not self.quiet:
            output.stdout().print(f"  {text}", markup=False, highlight=False)


def settings_for(
    home: Path, sandbox: Mapping[str, Any], more: Mapping[str, Any] | None = None
) -> Settings:
    """The settings of the demo alone: nobody's environment may lead it to a real system."""
    from connector.settings import ENV_PREFIX, Settings
    from connector.shipped import shipped

    for name in [name for name in os.environ if name.upper().startswith(ENV_PREFIX)]:
        del os.environ[name]
    return Settings.model_validate(
        {
            "commerce": {"kind": "ledger", "url": f"sqlite:///{home / 'ledger.db'}"},
            "dataverse": {
                "url": sandbox["dataverse"],
                "authority": sandbox["authority"],
                "client_id": sandbox["client_id"],
                "client_secret": f"file:{home / 'sandbox' / 'client_secret'}",
                "ca": sandbox["ca"],
            },
            "store": {"url": f"sqlite:///{home / 'state.db'}"},
            "maps": {"path": str(shipped("mappings"))},
            **(more or {}),
        }
    )


def report(outcomes: list[MapOutcome], tell: Teller) -> None:
    """Tell what a run wrote, map by map."""
    for outcome in outcomes:
        done = [
            f"{count:,} {verb} in {side}"
            for verb in ("created", "updated", "deleted")
            for side in ("commerce", "dataverse")
            if (count := outcome.counts.get(f"{verb} {side}", 0))
        ]
        waiting = outcome.counts.get("conflicts", 0)
        if waiting:
            done.append(f"{waiting} conflict kept for a person")
        text = ", ".join(done) or "no writes"
        tell.line(f"{outcome.map}: {text} ({outcome.seconds:.1f} s)")


def verified(project: Project, tell: Teller) -> dict[str, Any]:
    """Compare all maps and tell it; the figures of `verify`, and how many cards there are."""
    from connector.operations.runs.comparing import verify_map

    totals: dict[str, Any] = {"equal": True}
    counted = ("compared", "differences", "drift", "ignored", "excused", "adjusted")
    for document in project.documents.values():
        verdict = verify_map(project, document, lambda _map: None)
        totals["equal"] = totals["equal"] and verdict.equal
        for name in counted:
            totals[name] = totals.get(name, 0) + getattr(verdict, name)
        if document.map == "loyalty-card":
            totals["cards"] = verdict.compared
    drift = f"{totals['drift']} drift" + (" (the replacement number)" if totals["drift"] else "")
    tell.line(
        f"{totals['compared']:,} records compared field by field: {totals['differences']} "
        f"differences, {drift}"
    )
    tell.line("both sides equal" if totals["equal"] else "THE SIDES DIFFER")
    return totals


def raise_failure(outcomes: list[MapOutcome]) -> None:
    """Raise what ended a run."""
    for outcome in outcomes:
        if outcome.error is not None:
            raise outcome.error
