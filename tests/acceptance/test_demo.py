"""The demo is the whole product in one command."""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING

from tests.acceptance.conftest import DUALWRITE, SECONDS

if TYPE_CHECKING:
    from pathlib import Path


def demo(*args: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [DUALWRITE, "demo", *args],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


def test_it_ends_with_both_sides_equal() -> None:
    done = demo("--cards", "120", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["loaded"] == 123
    assert told["conflicts"] == 1
    assert told["synced"] == 6
    assert told["second_sync"] == 0
    assert told["verify"] == {
        "equal": True,
        "compared": 122,
        "differences": 0,
        "drift": 1,
        "ignored": 0,
        "excused": 0,
        "adjusted": 0,
    }


def test_it_tells_its_story_and_keeps_what_it_made_where_asked(tmp_path: Path) -> None:
    done = demo("--cards", "20", "--dir", str(tmp_path / "kept"))
    assert done.returncode == 0, done.stderr
    lines = [line.strip() for line in done.stdout.splitlines()]
    for head in ("2. Load: CRM gets what the shop has", "4. Sync", "7. Proof"):
        assert head in lines
    assert "both sides equal" in lines
    assert {"ledger.db", "state.db", "sandbox"} <= {p.name for p in (tmp_path / "kept").iterdir()}


def test_nobodys_environment_leads_it_elsewhere() -> None:
    done = demo("--cards", "20", "--json", DUALWRITE__DATAVERSE__URL="https://real.example")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["verify"]["equal"]
