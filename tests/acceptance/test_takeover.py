"""A process stopped for longer than its lease: another goes on, and the one that wakes gives up."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.acceptance.conftest import members
from tests.acceptance.living import until
from tests.acceptance.test_kill import BATCH, HELD, wait_until
from tests.conftest import PATIENCE

if TYPE_CHECKING:
    from tests.acceptance.conftest import Project

SHORT = """
import sys
from dataclasses import replace
from connector import bootstrap

usual = bootstrap._limits
bootstrap._limits = lambda settings: replace(usual(settings), lease=3.0, margin=1.5)

from connector.cli.app import run
sys.exit(run(["sync", "--map", "loyalty-card", "--json"]))
"""
"""The command line with a lease of three seconds."""


def edit_all(project: Project, tender: str) -> None:
    for n in range(10):
        project.json("ledger", "set", f"M{100_000 + n}", f"CardTenderType={tender}")


@pytest.fixture
def stalled(project: Project) -> Iterator[subprocess.Popen[bytes]]:
    """A sync of ten edits that was stopped while its first write was on its way."""
    project.import_cards(members(10))
    project.json("load", "--map", "loyalty-card")
    edit_all(project, "Blocked")
    project.forget_requests()
    project.fault(kind="slow", seconds=HELD, path="$batch", method="POST")
    process = subprocess.Popen(
        [sys.executable, "-c", SHORT],
        cwd=project.folder,
        env={**os.environ, **project.environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    wait_until(project, BATCH, 1)
    process.send_signal(signal.SIGSTOP)
    project.connector.disarm()
    yield process
    process.send_signal(signal.SIGCONT)
    process.kill()
    process.communicate()


def test_another_takes_over_and_the_one_that_wakes_commits_nothing(
    project: Project, stalled: subprocess.Popen[bytes]
) -> None:
    again = ("sync", "--map", "loyalty-card", "--json")
    until("the lease has run out", lambda: project.call(*again, code=None).code != 5)
    project.call(*again)
    assert {row["msdyn_cardtendertype"] for row in project.rows()} == {806380003}
    edit_all(project, "NoTender")
    project.json("sync", "--map", "loyalty-card")
    known = project.json("history", "M100003")

    stalled.send_signal(signal.SIGCONT)
    out, _ = stalled.communicate(timeout=PATIENCE)
    assert stalled.returncode == 5, out
    assert json.loads(out)["maps"][0]["error"]["code"] == "lease-lost"
    assert project.json("history", "M100003") == known
    assert {row["msdyn_cardtendertype"] for row in project.rows()} == {806380002}
    assert project.json("sync", "--map", "loyalty-card")["synced"] == 0
    assert project.json("verify", "--map", "loyalty-card")["equal"] is True
