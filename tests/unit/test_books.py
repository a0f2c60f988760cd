"""What only looks at the state waits for no side."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from connector.books import open_books
from connector.cli.app import run
from connector.errors import ConfigError
from connector.settings import load_settings


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A new project; its sandbox was never started, so there is no secret."""
    assert run(["init", str(tmp_path)]) == 0
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_maps_are_those_of_the_project(project: Path) -> None:
    with open_books(load_settings()) as books:
        assert set(books.documents) == {"loyalty-card", "loyalty-reward-points"}
        assert "parties" in books.off
        assert [row.number for row in books.store.runs("loyalty-card", 1)] == []


def test_a_password_that_is_missing_is_told(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DUALWRITE__STORE__PASSWORD", "env:NOWHERE")
    with pytest.raises(ConfigError, match="no secret"), open_books(load_settings()):
        pass


@pytest.mark.parametrize("words", [["status"], ["runs", "list"]])
def test_who_looks_needs_no_secret_and_imports_no_side(project: Path, words: list[str]) -> None:
    told = (
        f"import sys; from connector.cli.app import run; code = run([*{words}, '--json']);"
        "print(code, [one for one in sys.modules if one in ('requests', 'odata_query')"
        " or one.startswith(('connector.ledger', 'connector.endpoints.'))"
        " and one not in ('connector.endpoints.base', 'connector.endpoints.looks')])"
    )
    with open_books(load_settings()):
        pass  # made before: alembic imports what it likes
    done = subprocess.run([sys.executable, "-c", told], check=True, capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "0 []"
