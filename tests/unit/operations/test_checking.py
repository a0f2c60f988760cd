"""What `check` finds that needs no side to be asked."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from connector.config.sides import (
    CommerceSettings,
    EventSettings,
    FinopsSettings,
    LedgerSettings,
)
from connector.endpoints.base import Entity
from connector.errors import AccessError, Problem
from connector.mapping.document import parse_document
from connector.mapping.values import Side
from connector.operations.check.checking import _check_command, _check_events, _untimed

TEXT = """
map: cards
commerce: {entity: Cards}
dataverse: {entity: cards}
conflict: manual
fields:
  - {commerce: Number, sync: "=", dataverse: number, key: true}
  - {commerce: Name, sync: "=", dataverse: name, conflict: latest}
"""


def entity(timed: bool) -> Entity:
    return cast("Entity", SimpleNamespace(capabilities=SimpleNamespace(modified_time=timed)))


@pytest.mark.parametrize(("commerce", "found"), [(True, []), (False, ["Name"])])
def test_the_latest_edit_decides_only_where_both_sides_tell_the_time(
    commerce: bool, found: list[str]
) -> None:
    document = parse_document(TEXT)
    entities = {Side.COMMERCE: entity(commerce), Side.DATAVERSE: entity(True)}
    problems = list(_untimed(document, entities))
    assert [problem.subject.field for problem in problems] == found
    assert all(problem.subject.line == 8 for problem in problems)


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (None, None),
        (f"'{sys.executable}' -c pass", None),
        ("/no/such/pager --loud", "notify-command-missing"),
        ("no-such-pager", "notify-command-missing"),
    ],
)
def test_a_program_nobody_can_run_is_found_before_the_night_it_is_needed(
    command: str | None, code: str | None
) -> None:
    problems = list(_check_command(command))
    assert [problem.code for problem in problems] == ([code] if code else [])
    assert all(problem.severity == "warning" for problem in problems)


def test_the_key_of_events_is_missed_before_serve_is_started(tmp_path: Path) -> None:
    key = tmp_path / "key"
    south = FinopsSettings(
        kind="finops",
        url="https://fo.example",
        authority="https://login.example/tenant",
        client_id="app",
        client_secret="env:FO_SECRET",
        events=EventSettings(listen=True, secret=f"file:{key}"),
    )
    sides: dict[str, CommerceSettings] = {
        "commerce": LedgerSettings(kind="ledger", url="sqlite:///var/ledger.db"),
        "south": south,
    }
    (missing,) = _check_events(sides)
    assert missing.code == "secret-missing"
    assert str(missing.subject) == "side south, field sides.south.events.secret"
    key.write_text("a key")
    assert list(_check_events(sides)) == []


def test_a_finding_keeps_what_another_system_said() -> None:
    def denied(number: int) -> Problem:
        said = f"AADSTS7000215: Invalid client secret. Trace ID: {number}"
        return Problem.of(AccessError("token-denied", "no token", remedy="another", cause=said))

    assert str(denied(1).cause).startswith("AADSTS7000215")
    assert denied(1) == denied(2), "it is one finding, whatever its number"
