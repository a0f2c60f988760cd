"""The table of faults is complete, is obeyed, and stands in the documents as it is."""

from __future__ import annotations

import ast
import inspect
import re
from pathlib import Path
from typing import get_args

import pytest

from connector import errors
from connector.endpoints.base import (
    Applied,
    Exists,
    Missing,
    Outcome,
    Rejected,
    Stale,
    Transient,
    Unknown,
)
from connector.engine.faults import ERRORS, REPLIES, Due, Family, Step, handling_of, reply_name
from connector.engine.plan import Kind, Write, plan
from connector.engine.settle import intend_create, note, settle
from connector.errors import DualWriteError
from connector.store.record import Presence, Record
from tests.unit.engine.building import DATAVERSE, both, compiled, record, reply

ROOT = Path(__file__).parents[3]
MAP = compiled(both("A"), both("B"))
ONE_OF_EACH: list[Outcome] = [
    Applied("new-1"),
    Stale(),
    Exists("other"),
    Missing(),
    Unknown("reset"),
    Transient("busy"),
    Transient("busy", 30.0),
    Rejected("0x1", "no"),
]


def creating() -> tuple[Record, Write]:
    """A record whose create in Dataverse has left."""
    made = record(MAP, {"A": "x", "B": "x"}, None)
    note(made, plan(made, MAP), MAP)
    (write,) = plan(made, MAP).writes
    intend_create(made, write, "new-1", MAP)
    return made, write


# ------------------------------------------------------------------ complete


def test_every_reply_has_its_row_and_every_row_a_reply() -> None:
    assert {type(outcome) for outcome in ONE_OF_EACH} == set(get_args(Outcome))
    assert {reply_name(outcome) for outcome in ONE_OF_EACH} == set(REPLIES)


def test_every_error_has_its_row() -> None:
    classes = {c for _, c in inspect.getmembers(errors, inspect.isclass)}
    concrete = {c for c in classes if issubclass(c, DualWriteError) and not c.__subclasses__()}
    assert set(ERRORS) == concrete


def test_every_error_an_endpoint_makes_has_its_row() -> None:
    names = {error.__name__ for error in ERRORS}
    made = set()
    for file in (ROOT / "connector/endpoints").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                made.add(node.func.id)
    errors_made = {name for name in made if name.endswith("Error")} - {"AssertionError"}
    assert errors_made
    assert {name for name in errors_made if hasattr(errors, name)} <= names


def test_what_waits_counts_and_what_counts_waits() -> None:
    for row in REPLIES.values():
        assert row.attempt == (row.due in (Due.LATER, Due.AT_ONCE_THEN_LATER))
    for handling in [*REPLIES.values(), *ERRORS.values()]:
        if handling.family is Family.PERMANENT:
            assert handling.due is Due.NOT
        if handling.family is Family.UNKNOWN:
            assert handling.step is Step.READ


# ------------------------------------------------------------------ obeyed


@pytest.mark.parametrize("outcome", ONE_OF_EACH, ids=reply_name)
def test_a_reply_does_what_its_row_says(outcome: Outcome) -> None:
    made, write = creating()
    assert write.kind is Kind.CREATE
    settle(made, write, outcome, reply(MAP, now=40.0))
    row = handling_of(outcome)
    assert made.attempts == int(row.attempt)
    waits = {
        Due.NOT: None,
        Due.AT_ONCE: 40.0,
        Due.AT_ONCE_THEN_LATER: 40.0,
        Due.LATER: 42.0,
        Due.AS_TOLD: 70.0,
    }
    assert made.due == waits[row.due]
    assert (made.problem is not None) == (row.step is Step.PARK)
    believed = {
        Step.READ: Presence.UNKNOWN,
        Step.SEND: Presence.ABSENT,
        Step.PARK: Presence.ABSENT,
        Step.NOTHING: Presence.PRESENT,
    }
    assert made.side(DATAVERSE).presence is believed[row.step]
    again = plan(made, MAP)
    assert bool(again.reads) == (row.step in (Step.READ, Step.NOTHING))


# ------------------------------------------------------------------ documented


def test_the_table_in_the_documents_is_this_one() -> None:
    text = (ROOT / "docs/operations.md").read_text("utf-8")
    shown = re.findall(r"^\| `?([^|`]+?)`? \| ([^|]+) \| (yes|no) \| ([^|]+) \| ([^|]+) \|$",
                       text, re.MULTILINE)  # fmt: skip
    rows = {**REPLIES, **{error.__name__: row for error, row in ERRORS.items()}}
    assert shown == [
        (name, row.family, "yes" if row.attempt else "no", row.due, row.step)
        for name, row in rows.items()
    ]
