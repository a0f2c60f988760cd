"""`kill -9` and SIGTERM in the middle of a load and of a sync, then the same command again."""

from __future__ import annotations

import json
import signal
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from tests.acceptance.conftest import members
from tests.acceptance.living import until
from tests.conftest import PATIENCE

if TYPE_CHECKING:
    from tests.acceptance.conftest import Project

pytestmark = pytest.mark.slow

COUNT = 6500
CREATE = "POST msdyn_loyaltycards/Microsoft.Dynamics.CRM.CreateMultiple"
BATCH = "POST $batch"
SCAN = "GET msdyn_loyaltycards"
FOLLOW = "GET msdyn_loyaltycards?$deltatoken"
PATHS = {CREATE: "CRM.CreateMultiple", BATCH: "$batch", SCAN: "loyaltycards?", FOLLOW: "deltatoken"}
HELD = 600
"""Seconds nobody waits for: what is slow goes on once the faults are disarmed."""


def wait_until(project: Project, kind: str, number: int) -> None:
    """Until so many requests of a kind have arrived."""
    until(f"{kind}, {number} times", lambda: project.connector.counts().get(kind, 0) >= number)


def end_at(
    project: Project, command: str, kind: str, number: int, how: signal.Signals
) -> subprocess.Popen[bytes]:
    """Start a command and end it while its `number`-th request of a kind is held up.

    What was under way then arrives, although nobody may wait for its answer.
    """
    project.forget_requests()
    project.fault(kind="slow", seconds=HELD, path=PATHS[kind], after=number - 1, count=10**6)
    process = project.start(command, "--json")
    wait_until(project, kind, number)
    process.send_signal(how)
    if how is signal.SIGKILL:
        process.wait(PATIENCE)
    project.connector.disarm()
    process.wait(PATIENCE)
    return process


def told_by(process: subprocess.Popen[bytes]) -> dict[str, Any]:
    """The one JSON object a command printed that has ended."""
    assert process.stdout is not None
    told: dict[str, Any] = json.loads(process.stdout.read())
    return told


MOMENTS = [(SCAN, 1), (CREATE, 1), (CREATE, 3), (FOLLOW, 1)]


@pytest.mark.parametrize(("kind", "number"), MOMENTS)
def test_killed_load(project: Project, kind: str, number: int) -> None:
    project.import_cards(members(COUNT))
    process = end_at(project, "load", kind, number, signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    there = len(project.rows())
    assert there < COUNT or kind == FOLLOW
    project.forget_requests()
    loaded = project.run("load", "--json").json
    assert loaded["finished"] is True
    # What had arrived is recognised, not sent again; calls begin with half as many rows.
    assert loaded["loaded"] == COUNT - there
    assert project.written().get(CREATE, 0) <= 2 * (COUNT - there) // 1000 + 4
    assert len(project.cards()) == COUNT
    verdict = project.verified()
    assert (verdict["compared"], verdict["excused"]) == (COUNT, 0)
    assert project.json("sync")["synced"] == 0


def test_terminated_load_settles_and_goes_on(project: Project) -> None:
    project.import_cards(members(COUNT))
    process = end_at(project, "load", CREATE, 2, signal.SIGTERM)
    assert process.returncode == 128 + signal.SIGTERM
    told = told_by(process)
    there = len(project.rows())
    assert 0 < there < COUNT
    assert (told["finished"], told["loaded"]) == (False, there)
    loaded = project.run("load", "--json").json
    assert loaded["loaded"] == COUNT - there
    counts = next(one["counts"] for one in loaded["maps"] if one["map"] == "loyalty-card")
    assert "reopened" not in counts, "it left a batch without its outcome"
    assert len(project.cards()) == COUNT
    project.verified()


EDITS = 1200


def edit_both_sides(project: Project) -> None:
    """Hundreds of edits and new cards on each side."""
    numbers = sorted(project.cards())
    here, there = numbers[:EDITS], numbers[EDITS : 2 * EDITS]
    changed = [{"CardNumber": number, "ReplacementCardNumber": "EDITED"} for number in here]
    project.import_cards(changed)
    project.edit_all({number: {"msdyn_cardtendertype": 806380002} for number in there})
    project.import_cards(members(300, start=500_000))


def done(project: Project) -> int:
    """How much of it has arrived on the other side."""
    rows = project.rows()
    arrived: int = sum(row["msdyn_replacementcardnumber"] == "EDITED" for row in rows)
    arrived += sum(row["msdyn_cardnumber"] >= "M500000" for row in rows)
    listed = project.json("ledger", "list", "--limit", "10000")["records"]
    tenders: list[str] = [one["values"]["CardTenderType"] for one in listed]
    return arrived + tenders.count("NoTender")


@pytest.mark.parametrize(("kind", "number"), [(BATCH, 1), (BATCH, 2), (CREATE, 1)])
def test_killed_sync(project: Project, kind: str, number: int) -> None:
    project.import_cards(members(2 * EDITS))
    project.json("load")
    edit_both_sides(project)
    process = end_at(project, "sync", kind, number, signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    before = done(project)
    assert before <= 2 * EDITS + 300
    synced = project.run("sync", "--json").json
    assert synced["finished"] is True
    assert synced["synced"] == 2 * EDITS + 300 - before
    assert done(project) == 2 * EDITS + 300
    assert len(project.cards()) == len(project.ledger_keys()) == 2 * EDITS + 300
    verdict = project.verified()
    assert (verdict["drift"], verdict["excused"]) == (0, 0)
    assert project.json("sync")["synced"] == 0


def test_terminated_sync_settles_and_goes_on(project: Project) -> None:
    project.import_cards(members(2 * EDITS))
    project.json("load")
    edit_both_sides(project)
    process = end_at(project, "sync", BATCH, 1, signal.SIGTERM)
    assert process.returncode == 128 + signal.SIGTERM
    before = done(project)
    told = told_by(process)
    assert (told["finished"], told["synced"]) == (False, before)
    synced = project.run("sync", "--json").json
    assert "reopened" not in synced["maps"][0]["counts"]
    assert synced["synced"] == 2 * EDITS + 300 - before
    project.verified()
