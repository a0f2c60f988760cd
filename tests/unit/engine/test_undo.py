"""What undoing a run means for one record, by what stands there now and what the audit tells."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from connector.engine.decisions.undo import Undo, Undoing, give_back, plan_undo, trails
from connector.engine.plan import Kind, plan
from connector.mapping.values import Side
from connector.store.record import Presence, Record
from connector.store.work import ChangeKind, ChangeRow
from tests.unit.engine.building import COMMERCE, DATAVERSE, both, compiled, held, record

MAP = compiled(
    both("A"), both("B"), "commerce: Amount, sync: '=', dataverse: amount", conflict="manual"
)
RUN, LATER, UNDO = 5, 6, 9
US = "us"
UNDOING = Undo(
    RUN, UNDO, MAP, {side: frozenset({US}) for side in Side}, frozenset({UNDO, UNDO - 1}), "anna"
)


def row(kind: ChangeKind, run: int = RUN, side: Side = DATAVERSE, **about: Any) -> ChangeRow:
    """An audit row about the record's row on one side."""
    made = ChangeRow(
        1, run, 0.0, MAP.name, 7, kind, side, f"{side}-1", "1", "2", None, None, "applied", None
    )
    return replace(made, **about)


UPDATED = row(
    ChangeKind.UPDATE,
    before={"a": "old"},
    after={"a": "bad"},
    agreed={COMMERCE: {"A": "old"}, DATAVERSE: {"a": "old"}},
)
CREATED = row(ChangeKind.CREATE, after={"id": "K", "a": "bad"})
WHOLE = {Side.COMMERCE: {"Id": "K", "A": "old"}, Side.DATAVERSE: {"id": "K", "a": "old"}}
DELETED = row(ChangeKind.DELETE, before={"id": "K", "a": "old", "amount": "1.50"}, agreed=WHOLE)


def synced(a: str = "bad", **columns: Any) -> Record:
    """Both sides hold what the run wrote, and agreed on it."""
    values = {name.upper(): value for name, value in columns.items()}
    return record(
        MAP, {"A": a, **values}, {"a": a, **columns}, ({"A": a, **values}, {"a": a, **columns})
    )


def gone() -> Record:
    made = synced()
    for side in Side:
        made.side(side).presence = Presence.ABSENT
        made.side(side).agreed = None
    return made


def kept(undoing: Undoing) -> str:
    (one,) = undoing.kept
    assert undoing.restores == []
    return one.reason


# ---------------------------------------------------------------------------- updates


def test_an_update_goes_back_under_the_version_that_was_read() -> None:
    (restore,) = plan_undo(synced(), [UPDATED], UNDOING).restores
    write = restore.write
    assert write is not None
    assert (write.kind, write.side, write.id, write.version) == (
        Kind.UPDATE, DATAVERSE, "dataverse-1", "1",
    )  # fmt: skip
    assert (write.values, write.before, write.reason) == (
        {"a": "old"}, {"a": "bad"}, "undo of run 5, decided by anna",
    )  # fmt: skip


def test_what_another_run_wrote_is_no_business_of_this_undo() -> None:
    assert plan_undo(synced(), [replace(UPDATED, run=LATER)], UNDOING) == Undoing()


@pytest.mark.parametrize("outcome", ["stale", "rejected", "transient", "missing", "exists"])
def test_a_write_that_did_not_happen_is_not_undone(outcome: str) -> None:
    assert plan_undo(synced("old"), [replace(UPDATED, outcome=outcome)], UNDOING) == Undoing()


def test_values_get_their_types_back() -> None:
    update = replace(UPDATED, before={"amount": "1.50"}, after={"amount": "2.00"})
    made = synced()
    (restore,) = plan_undo(made, [update], UNDOING).restores
    assert restore.write is not None
    assert restore.write.values == {"amount": Decimal("1.50")}


def test_several_updates_of_a_run_go_back_to_before_the_first() -> None:
    second = replace(UPDATED, number=2, before={"a": "worse", "b": None}, after={"a": "bad"})
    (restore,) = plan_undo(synced(b="x"), [UPDATED, second], UNDOING).restores
    assert restore.write is not None
    assert restore.write.values == {"a": "old", "b": None}


@pytest.mark.parametrize("later", [ChangeKind.SEEN, ChangeKind.UPDATE])
def test_a_column_changed_since_keeps_the_whole_row(later: ChangeKind) -> None:
    since = row(later, LATER, before={"a": "bad"}, after={"a": "mine"}, outcome="noted")
    assert kept(plan_undo(synced("mine"), [UPDATED, since], UNDOING)) == "changed since: a"


def test_a_change_of_another_column_does_not() -> None:
    since = row(ChangeKind.SEEN, LATER, before={"b": None}, after={"b": "x"}, outcome="noted")
    (restore,) = plan_undo(synced(b="x"), [UPDATED, since], UNDOING).restores
    assert restore.write is not None
    assert restore.write.values == {"a": "old"}


def test_what_a_target_made_of_the_value_is_no_change() -> None:
    assert len(plan_undo(synced("BAD"), [UPDATED], UNDOING).restores) == 1


def test_a_value_changed_and_put_back_is_no_change() -> None:
    away = row(ChangeKind.SEEN, LATER, before={"a": "bad"}, after={"a": "x"}, outcome="noted")
    back = row(ChangeKind.SEEN, LATER, before={"a": "x"}, after={"a": "bad"}, outcome="noted")
    assert len(plan_undo(synced(), [UPDATED, away, back], UNDOING).restores) == 1


def test_a_person_who_put_the_old_value_back_keeps_it() -> None:
    since = row(ChangeKind.SEEN, LATER, before={"a": "bad"}, after={"a": "old"}, outcome="noted")
    told = kept(plan_undo(synced("old"), [UPDATED, since], UNDOING))
    assert told == "changed back since by somebody"


def test_an_undo_that_was_cut_short_goes_on() -> None:
    ours = row(
        ChangeKind.UPDATE, UNDO - 1, before={"a": "bad"}, after={"a": "old"}, outcome="unknown"
    )
    (restore,) = plan_undo(synced("old"), [UPDATED, ours], UNDOING).restores
    assert restore.write is None, "the row is back, the agreed pair is not yet"
    done = replace(ours, outcome="applied")
    assert plan_undo(synced("old"), [UPDATED, done], UNDOING) == Undoing()


def test_a_column_that_is_not_in_the_map_any_more() -> None:
    update = replace(UPDATED, before={"z": "old"})
    assert kept(plan_undo(synced(), [update], UNDOING)) == "z is not in the map any more"


def test_a_row_that_is_gone_or_another_stays_so() -> None:
    absent = synced()
    absent.dataverse.presence = Presence.ABSENT
    assert kept(plan_undo(absent, [UPDATED], UNDOING)) == "deleted since"
    other = synced()
    other.dataverse.id = "dataverse-2"
    assert kept(plan_undo(other, [UPDATED], UNDOING)) == "another row stands in its place"
    doubtful = synced()
    doubtful.dataverse.presence = Presence.UNKNOWN
    assert "for certain" in kept(plan_undo(doubtful, [UPDATED], UNDOING))


def test_a_row_made_again_after_the_undo_and_deleted_by_somebody_stays_deleted() -> None:
    """The undo's delete was never answered; the map made the row again, and a person deleted it."""
    undone = row(ChangeKind.DELETE, UNDO - 1, outcome="unknown")
    made_again = row(ChangeKind.CREATE, LATER, target="another")
    assert plan_undo(gone(), [CREATED, undone], UNDOING).restores[0].write is None
    assert kept(plan_undo(gone(), [CREATED, undone, made_again], UNDOING)) == "deleted since"


# ---------------------------------------------------------------------------- creates, deletes


def test_a_created_row_is_deleted_with_everything_it_holds_in_the_audit() -> None:
    (restore,) = plan_undo(synced(), [CREATED], UNDOING).restores
    write = restore.write
    assert write is not None
    assert (write.kind, write.version, write.before) == (
        Kind.DELETE, "1", held(MAP, synced(), DATAVERSE),
    )  # fmt: skip


@pytest.mark.parametrize(("modifier", "stays"), [(US, False), (None, False), ("anna", True)])
def test_a_created_row_somebody_works_with_stays(modifier: str | None, stays: bool) -> None:
    made = synced()
    made.dataverse.modifier = modifier
    undoing = plan_undo(made, [CREATED], UNDOING)
    assert len(undoing.restores) == (0 if stays else 1)
    if stays:
        assert kept(undoing) == "edited since by anna"


def test_a_create_and_a_delete_in_one_run_cancel_out() -> None:
    assert plan_undo(gone(), [CREATED, DELETED], UNDOING) == Undoing()


def test_a_create_a_later_run_had_to_do_again_was_not_this_runs() -> None:
    lost = replace(CREATED, outcome="unknown")
    again = replace(CREATED, run=LATER)
    assert plan_undo(synced(), [lost, again], UNDOING) == Undoing()
    assert len(plan_undo(synced(), [lost], UNDOING).restores) == 1
    assert len(trails([lost, replace(CREATED, outcome="exists")], RUN)) == 1


def test_a_deleted_row_comes_back_under_a_new_id_without_its_nulls() -> None:
    (restore,) = plan_undo(gone(), [DELETED], UNDOING).restores
    write = restore.write
    assert write is not None
    assert (write.kind, write.id, write.version) == (Kind.CREATE, None, None)
    assert write.values == {"id": "K", "a": "old", "amount": Decimal("1.50")}


def test_a_row_that_is_there_again_stays() -> None:
    assert kept(plan_undo(synced(), [DELETED], UNDOING)) == "there again since"
    ours = row(ChangeKind.CREATE, UNDO - 1, after={}, outcome="applied")
    assert plan_undo(synced(), [DELETED, ours], UNDOING) == Undoing()


def test_each_side_is_judged_by_itself() -> None:
    there = replace(UPDATED, side=COMMERCE, target="commerce-1", before={"A": "old"}, agreed=None)
    since = row(ChangeKind.SEEN, LATER, before={"a": "bad"}, after={"a": "x"}, outcome="noted")
    made = synced()
    made.dataverse.image = ("K", "x", *(made.dataverse.image or ())[2:])
    undoing = plan_undo(made, [UPDATED, there, since], UNDOING)
    assert [restore.side for restore in undoing.restores] == [COMMERCE]
    assert [one.side for one in undoing.kept] == [DATAVERSE]


# ---------------------------------------------------------------------------- the agreed pair


def back(made: Record, *rows: ChangeRow, **columns: Any) -> Record:
    """The record after its Dataverse row holds these values again."""
    values = {**held(MAP, made, DATAVERSE), **columns}
    made.dataverse.image = tuple(values.values())
    (trail,) = trails(rows, RUN)
    give_back(made, trail, MAP)
    return made


def test_after_an_update_the_source_has_changed_again() -> None:
    made = back(synced(), UPDATED, a="old")
    (write,) = plan(made, MAP).writes
    assert (write.side, write.values) == (DATAVERSE, {"a": "bad"})


def test_after_a_first_contact_the_sides_have_not_met() -> None:
    first = replace(UPDATED, agreed=None, before={"a": "theirs"})
    made = back(synced(), first, a="theirs")
    (write,) = plan(made, MAP).writes
    assert (write.side, write.values) == (DATAVERSE, {"a": "bad"}), "the master's value wins"
    made.dataverse.image = ("K", "edited", *(made.dataverse.image or ())[2:])
    assert [one.group for one in plan(made, MAP).conflicts] == ["A"], "an edit since is one"


def test_after_a_first_create_the_record_is_paired_no_more() -> None:
    made = synced()
    made.accepted = True
    (trail,) = trails([CREATED], RUN)
    made.dataverse.presence = Presence.ABSENT
    give_back(made, trail, MAP)
    assert (made.commerce.agreed, made.dataverse.agreed, made.dataverse.id) == (None, None, None)
    assert not made.accepted
    (write,) = plan(made, MAP).writes
    assert (write.kind, write.side) == (Kind.CREATE, DATAVERSE)


def test_after_a_delete_it_is_deleted_on_the_other_side_only() -> None:
    made = gone()
    (trail,) = trails([DELETED], RUN)
    made.dataverse.presence = Presence.PRESENT
    give_back(made, trail, MAP)
    (write,) = plan(made, MAP).writes
    assert (write.kind, write.side) == (Kind.DELETE, DATAVERSE)
