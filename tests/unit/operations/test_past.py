"""Which runs cannot be taken back at all, told before anything is read or written."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import pytest

from connector.bootstrap import Project
from connector.operations.runs.past import refusal
from connector.store.work import RunRow

STARTED = 1000.0


def project(kept_since: float | None = None, *, appends: bool = False) -> Project:
    """As much of a project as is asked: its map, and from when on the audit is complete."""
    document = SimpleNamespace(appends_to="dataverse" if appends else None)
    store = SimpleNamespace(audit_kept_since=lambda _map: kept_since)
    return cast(Project, SimpleNamespace(documents={"card": document}, store=store))


def run(map: str = "card") -> RunRow:
    return RunRow(7, "sync", map, "f", STARTED, STARTED + 1, "done")


@pytest.mark.parametrize("kept_since", [None, STARTED, STARTED - 1])
def test_a_run_whose_audit_is_kept_can_be_undone(kept_since: float | None) -> None:
    assert refusal(project(kept_since), run(), 1) is None


@pytest.mark.parametrize(
    ("asked", "row", "records", "code"),
    [
        (project(STARTED + 1), run(), 1, "run-too-old"),
        (project(), run("gone"), 1, "map-unknown"),
        (project(appends=True), run(), 1, "append-not-undone"),
        (project(), run(), 0, "run-wrote-nothing"),
    ],
)
def test_the_others_say_why(asked: Project, row: RunRow, records: int, code: str) -> None:
    refused = refusal(asked, row, records)
    assert refused is not None
    assert refused.code == code
