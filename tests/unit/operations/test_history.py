"""An audit row, and a conflict, as a person is told of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import pytest

from connector.bootstrap import Project
from connector.errors import UsageError
from connector.mapping.document import parse_document
from connector.mapping.values import Side
from connector.operations.history import conflict_events, event_of, history_of
from connector.store.record import Conflict, Record, State
from connector.store.work import ChangeKind, ChangeRow, ConflictRow

C, D = Side.COMMERCE, Side.DATAVERSE
ROW = ChangeRow(
    1, 3, 100.0, "card", 7, ChangeKind.UPDATE, D, "id", "1", "2",
    {"name": "old", "note": None}, {"name": "new", "note": None}, "applied", None,
)  # fmt: skip


def test_what_is_null_before_and_after_is_left_out() -> None:
    (value,) = event_of(ROW).values
    assert (value.side, value.field, value.before, value.after) == (D, "name", "old", "new")


def test_our_own_writes_are_told_apart_from_those_of_people() -> None:
    ours = event_of(replace(ROW, detail="undo of run 2"))
    assert (ours.what, ours.by, ours.detail, ours.outcome) == (
        "updated", "dualwrite", "undo of run 2", "done",
    )  # fmt: skip
    theirs = event_of(replace(ROW, kind=ChangeKind.SEEN, outcome="noted", detail="anna"))
    assert (theirs.what, theirs.by, theirs.detail, theirs.outcome) == ("edited", "anna", None, None)
    gone = event_of(replace(ROW, kind=ChangeKind.SEEN, outcome="noted", detail="deleted"))
    assert (gone.what, gone.by) == ("removed", None)


@pytest.mark.parametrize(
    ("outcome", "told"),
    [
        ("rejected", "refused: no: too long"),
        ("stale", "not written: the row had changed meanwhile; it was read and planned again: no"),
        (None, "no reply yet, or the process died before it came"),
    ],
)
def test_how_a_write_ended_is_told_in_words(outcome: str | None, told: str) -> None:
    event = event_of(replace(ROW, outcome=outcome, detail="no: too long"))
    assert event.outcome is not None
    assert event.outcome.startswith(told)
    assert (event.as_dict()["outcome"], event.as_dict()["detail"]) == (outcome, "no: too long")


@pytest.mark.parametrize("kind", list(ChangeKind))
@pytest.mark.parametrize(
    "outcome",
    [None, "applied", "stale", "exists", "missing", "rejected", "transient", "unknown", "noted"],
)
def test_every_kind_and_outcome_has_words(kind: ChangeKind, outcome: str | None) -> None:
    writes = {ChangeKind.CREATE, ChangeKind.UPDATE, ChangeKind.DELETE}
    if outcome == "noted" and kind in writes:
        return
    assert event_of(replace(ROW, kind=kind, outcome=outcome)).what


CONFLICT = ConflictRow(
    1, 7, "card", "Name", 100.0, None, 2,
    Conflict("Name", {C: {"Name": "a"}, D: {"name": "a"}}, {C: {"Name": "b"}, D: {"name": "c"}}),
    None, None, None,
)  # fmt: skip


def test_a_conflict_tells_both_edits() -> None:
    (opened,) = conflict_events(CONFLICT)
    assert [(v.side, v.before, v.after) for v in opened.values] == [(C, "a", "b"), (D, "a", "c")]


def test_a_conflict_says_that_its_values_came_later_than_its_time() -> None:
    first = replace(CONFLICT, revision=1)
    assert [event.detail for event in conflict_events(first)] == ["Name"]
    assert [event.detail for event in conflict_events(CONFLICT)] == [
        "Name, by now with the values of revision 2"
    ]


def test_what_says_nothing_new_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    decided = replace(ROW, kind=ChangeKind.DECISION, outcome="noted", detail="Name: commerce")
    silent = replace(ROW, kind=ChangeKind.SEEN, before={}, after={}, detail="anna")
    rows = [decided, replace(decided, number=2, side=C), silent, ROW]
    monkeypatch.setattr(Kept, "histories", lambda *_: {7: rows})
    story = told("k1")["records"][1]
    assert [event["what"] for event in story["events"]] == ["decided", "updated"]


def test_only_a_conflict_nobody_decided_tells_of_its_end() -> None:
    by_itself = list(conflict_events(replace(CONFLICT, closed=200.0)))
    assert [event.what for event in by_itself] == ["conflict", "conflict over"]
    decided = replace(CONFLICT, closed=200.0, decision="commerce", decided_by="anna")
    assert [event.what for event in conflict_events(decided)] == ["conflict"]


DOCUMENT = parse_document(
    "map: card\ncommerce: {entity: Cards}\ndataverse: {entity: cards}\nfields:\n"
    '  - {commerce: Number, sync: "=", dataverse: number, key: true}\n'
)


class Kept:
    """A state with two twins, a departed record, and a person who was forgotten."""

    store: Any

    def __init__(self) -> None:
        self.store = self

    def layout(self, *_about: object, **_more: object) -> None:
        return None

    def departed(self, _map: str, key: str) -> list[tuple[int, float]]:
        return [(3, 50.0)] if key == "k1" else []

    def by_keys(self, _layout: None, keys: list[str]) -> dict[str, list[Record]]:
        twins = [Record(n, "card", "k1", n - 7, state=State.PARKED) for n in (7, 8)]
        return {"k1": twins} if keys == ["k1"] else {}

    def by_numbers(self, _layout: None, numbers: list[int]) -> dict[int, Record]:
        return {n: Record(n, "card", "k7", 0) for n in numbers if n == 7}

    def forgotten(self, _map: str, key: str) -> float | None:
        return 70.0 if key == "gone" else None

    def histories(self, numbers: list[int]) -> dict[int, list[ChangeRow]]:
        return {n: [replace(ROW, record=n, number=i, at=10.0 * i) for i in (1, 2)] for n in numbers}

    def conflict_rows(self, _record: int) -> list[ConflictRow]:
        return []

    def run_row(self, _number: int) -> None:
        return None


def told(key: str, limit: int | None = None) -> Any:
    return history_of(cast(Project, Kept()), [DOCUMENT], key, limit).as_dict()


def test_departed_records_and_twins_come_one_after_the_other() -> None:
    records = told("K1 ")["records"]
    assert [(one["record"], one["standing"]) for one in records] == [
        (3, "departed"), (7, "gone"), (8, "gone"),
    ]  # fmt: skip
    assert records[0]["departed"] == "1970-01-01T00:00:50.000+00:00"


def test_what_is_a_key_in_one_map_is_no_record_number_in_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert [one["record"] for one in told("7")["records"]] == [7]
    points = parse_document(
        "map: points\ncommerce: {entity: Points}\ndataverse: {entity: points}\nfields:\n"
        '  - {commerce: Number, sync: "=", dataverse: number, key: true}\n'
    )
    monkeypatch.setattr(Kept, "departed", lambda _, map, __: [(3, 50.0)] if map == "points" else [])
    found = history_of(cast(Project, Kept()), [DOCUMENT, points], "7", None)
    assert [(one.document.map, one.number) for one in found.stories] == [("points", 3)]


def test_a_limit_keeps_the_newest_of_each_record() -> None:
    for record in told("k1", 1)["records"]:
        assert [event["at"] for event in record["events"]] == ["1970-01-01T00:00:20.000+00:00"]
        assert record["omitted"] == 1


def test_a_forgotten_key_says_when_and_nothing_else() -> None:
    assert told("Gone") == {
        "key": "Gone",
        "records": [],
        "forgotten": [{"map": "card", "at": "1970-01-01T00:01:10.000+00:00"}],
    }


def test_an_unknown_key_is_an_error() -> None:
    with pytest.raises(UsageError, match="nothing is known"):
        told("other")
