"""When a write is one too many, told from the audit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from connector.engine.plan import Kind, Write, plan
from connector.engine.wars import MOST, UNDO, without_war
from connector.mapping.values import Side, Value
from connector.store.work import ChangeKind, ChangeRow
from tests.unit.engine.building import COMMERCE, DATAVERSE, both, compiled, record

MAP = compiled(both("A"), both("B"), deletes="{dataverse: restore}")
AGREED = ({"A": "y", "B": "y"}, {"a": "y", "b": "y"})


def row(
    kind: ChangeKind,
    side: Side,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    outcome: str = "applied",
) -> ChangeRow:
    return ChangeRow(
        1, 1, 0.0, "thing", 7, kind, side, None, None, None, before, after, outcome, None
    )


WROTE = row(ChangeKind.UPDATE, DATAVERSE, {"a": "y"}, {"a": "x"})
UNDID = row(ChangeKind.SEEN, DATAVERSE, {"a": "x"}, {"a": "y"}, "noted")
TRAVELLED = row(ChangeKind.UPDATE, COMMERCE, {"A": "x"}, {"A": "y"})
INSISTED = row(ChangeKind.SEEN, COMMERCE, {"A": "y"}, {"A": "x"}, "noted")
EDITED = row(ChangeKind.SEEN, COMMERCE, {"A": "z"}, {"A": "x"}, "noted")
OTHERWISE = row(ChangeKind.SEEN, COMMERCE, {"B": "z"}, {"B": "x"}, "noted")
DECIDED = row(ChangeKind.DECISION, COMMERCE)
TAKEN_BACK = replace(
    row(ChangeKind.UPDATE, DATAVERSE, {"a": "x"}, {"a": "y"}), detail=f"{UNDO} 4, decided by anna"
)
CREATED = row(ChangeKind.CREATE, DATAVERSE, None, {"a": "x"})
GONE = row(ChangeKind.SEEN, DATAVERSE, {"a": "x"}, None, "noted")


def typed(_side: Side, values: Mapping[str, Any]) -> Mapping[str, Value]:
    return values


def update(values: Mapping[str, Value] | None = None) -> Write:
    """The write of A = x (and more) towards Dataverse."""
    held = {"A": "x", "B": "y", **(values or {})}
    (write,) = plan(record(MAP, held, {"a": "y", "b": "y"}, AGREED), MAP).writes
    return write


MADE = record(MAP, {"A": "x", "B": "y"}, {"a": "y", "b": "y"}, AGREED)


@pytest.mark.parametrize(
    "history",
    [
        [],
        [WROTE, UNDID] * (MOST - 1),
        [WROTE, UNDID] * 9 + [EDITED],
        [WROTE, UNDID] * 9 + [DECIDED],
        [WROTE, UNDID, EDITED] * 9,
        [WROTE, TAKEN_BACK] * 9,
        [row(ChangeKind.UPDATE, DATAVERSE, {"a": "y"}, {"a": "other"})] * 9,
        [row(ChangeKind.UPDATE, DATAVERSE, {"a": "y"}, {"a": "x"}, "stale")] * 9,
        [row(ChangeKind.UPDATE, DATAVERSE, {"a": "y"}, {"a": "x"}, "unknown")] * 9,
        [row(ChangeKind.UPDATE, DATAVERSE, {"b": "y"}, {"b": "x"})] * 9,
        [TRAVELLED, INSISTED] * 9,
    ],
)
def test_what_may_be_written(history: list[ChangeRow]) -> None:
    assert without_war(MADE, update(), history, typed) == (update(), None)


@pytest.mark.parametrize(
    "history",
    [
        [WROTE, UNDID] * MOST,
        [EDITED] + [WROTE, UNDID] * MOST,
        [WROTE, UNDID, OTHERWISE] * MOST,
        # Both sides have somebody who insists: each change only undoes what we wrote.
        [EDITED] + [WROTE, UNDID, TRAVELLED, INSISTED] * MOST,
    ],
)
def test_what_is_one_too_many(history: list[ChangeRow]) -> None:
    MADE.dataverse.modifier = "the night job"
    may, problem = without_war(MADE, update(), history, typed)
    assert may is None
    assert problem is not None
    assert (problem.code, problem.subject.field) == ("unstable", "A")
    for told in ("a 'x'", "a 'y'", "3 times", "the night job"):
        assert told in problem.message


def test_the_other_fields_go_on() -> None:
    may, problem = without_war(MADE, update({"B": "new"}), [WROTE, UNDID] * MOST, typed)
    assert may is not None
    assert (may.values, may.before) == ({"b": "new"}, {"b": "y"})
    assert [group.name for group in may.groups] == ["B"]
    assert problem is not None
    assert problem.subject.field == "A"


@pytest.mark.parametrize(
    ("history", "allowed"),
    [
        ([CREATED, GONE], True),
        ([CREATED, GONE] * MOST, True),
        ([CREATED, GONE] * (MOST + 1), False),
        ([CREATED, GONE] * 9 + [EDITED], True),
        ([CREATED, GONE] * 9 + [DECIDED], True),
        ([CREATED, GONE] * 9 + [TAKEN_BACK], True),
        ([CREATED] * 9 + [GONE], True),
    ],
)
def test_restores(history: list[ChangeRow], allowed: bool) -> None:
    gone = record(MAP, {"A": "y", "B": "y"}, None, AGREED)
    (write,) = plan(gone, MAP).writes
    assert write.kind is Kind.CREATE
    may, problem = without_war(gone, write, history, typed)
    assert (may is not None, problem is None) == (allowed, allowed)
