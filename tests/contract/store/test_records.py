"""Records: kept whole, found every way, changed only together."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from typing import TYPE_CHECKING

import pytest

from connector.errors import Problem, StateError
from connector.mapping.values import Side, ValueType
from connector.store.record import Anew, Conflict, Presence, SideState, State, Wait
from connector.store.work import Change, ChangeKind, Completion, MapRow, Position, Sweep, Work

if TYPE_CHECKING:
    from tests.contract.store.conftest import Kit


def test_a_record_comes_back_as_it_was_handed_in(kit: Kit, problem: Problem) -> None:
    plain = kit.record(1)
    rich = replace(
        kit.record(2),
        ordinal=3,
        unconfirmed=True,
        state=State.PARKED,
        due=12.25,
        attempts=4,
        waiting=1,
        conflicts=2,
        problem=problem,
        accepted=True,
        anew={"tender": Anew.CHANGED, "note": Anew.NEW},
        commerce=SideState(Presence.UNKNOWN, None, None, None, 7, None, kit.commerce(9), 11),
        dataverse=SideState(
            Presence.PRESENT, "g", "Ünï", "v", 2, kit.dataverse(1), kit.dataverse(2), 3, 1.5, "me"
        ),
    )
    nothing_agreed = replace(kit.record(3), dataverse=SideState())
    kit.commit(inserted=[plain, rich, nothing_agreed])
    assert [kit.get(n) for n in (1, 2, 3)] == [plain, rich, nothing_agreed]
    assert [type(value) for value in kit.get(1).commerce.image or ()] == [
        type(value) for value in kit.commerce(1)
    ]


def test_a_removed_record_leaves_nothing_and_its_key_is_free(kit: Kit) -> None:
    wait = Wait("kind", Side.DATAVERSE, "points", "id", "P1")
    kit.commit(inserted=[kit.record(1), kit.record(2)], waits={1: (wait,), 2: (wait,)})
    again = kit.record(3, key=kit.record(1).key)
    kit.commit(removed=[1, 99], inserted=[again])
    assert kit.store.by_numbers(kit.layout, [1, 2, 3]).keys() == {2, 3}
    assert kit.store.wake(kit.lease, wait, 1.0) == 1
    assert kit.get(2).due == 1.0


def test_records_of_another_map_are_not_removed(kit: Kit) -> None:
    kit.commit(inserted=[kit.record(7)])
    other = kit.store.acquire("other", "second", 60)
    kit.store.commit(other, Work(kit.run, 100.0, removed=[7]))
    assert kit.get(7).key == "c7"


def test_an_image_of_nulls_is_not_a_missing_image(kit: Kit) -> None:
    empty = (None, None, None, None)
    record = replace(kit.record(1), commerce=SideState(image=empty, agreed=None))
    other = replace(kit.record(2), commerce=SideState(image=None, agreed=empty))
    kit.commit(inserted=[record, other])
    assert (kit.get(1).commerce.image, kit.get(1).commerce.agreed) == (empty, None)
    assert (kit.get(2).commerce.image, kit.get(2).commerce.agreed) == (None, empty)


def test_records_are_found_by_ids_keys_and_numbers_of_their_map(kit: Kit) -> None:
    twin = kit.record(3, key="c1", ordinal=1)
    kit.commit(inserted=[twin, kit.record(1), kit.record(2)])
    found = kit.store.by_ids(kit.layout, Side.COMMERCE, ["commerce-2", "commerce-9", "dataverse-1"])
    assert {id: record.number for id, record in found.items()} == {"commerce-2": 2}
    by_keys = kit.store.by_keys(kit.layout, ["c1", "c2", "c9"])
    assert {k: [r.number for r in rs] for k, rs in by_keys.items()} == {"c1": [1, 3], "c2": [2]}
    assert set(kit.store.by_numbers(kit.layout, [1, 3, 9])) == {1, 3}

    other = kit.store.layout("other-map", dict(kit.layout.columns))
    assert kit.store.by_ids(other, Side.COMMERCE, ["commerce-2"]) == {}
    assert kit.store.by_keys(other, ["c1"]) == {}
    assert kit.store.by_numbers(other, [1]) == {}


@pytest.mark.parametrize(
    "key", ["a\x1fb", 'quote"d', "back\\slash", "straße", "🎁", "%_", "'", "1"]
)
def test_keys_and_ids_are_found_whatever_is_in_them(kit: Kit, key: str) -> None:
    record = kit.record(1, key=key)
    record.commerce.id = key
    kit.commit(inserted=[record, kit.record(2)])
    assert kit.store.by_keys(kit.layout, [key]) == {key: [record]}
    assert kit.store.by_ids(kit.layout, Side.COMMERCE, [key]) == {key: record}


def test_more_values_than_any_parameter_limit_are_one_question(kit: Kit) -> None:
    kit.commit(inserted=[kit.record(n) for n in range(1, 6)])
    ids = [f"commerce-{n}" for n in range(1, 50_001)]
    assert len(kit.store.by_ids(kit.layout, Side.COMMERCE, ids)) == 5
    assert kit.store.by_ids(kit.layout, Side.COMMERCE, []) == {}


def test_of_two_records_under_one_id_the_living_one_is_meant(kit: Kit) -> None:
    living = kit.record(1)
    tombstone = replace(kit.record(2), dataverse=SideState(id="dataverse-1"))
    newer = replace(kit.record(3), dataverse=replace(kit.record(3).dataverse, id="dataverse-1"))
    kit.commit(inserted=[living, tombstone])
    assert kit.store.by_ids(kit.layout, Side.DATAVERSE, ["dataverse-1"])["dataverse-1"] == living
    kit.commit(inserted=[newer])
    assert kit.store.by_ids(kit.layout, Side.DATAVERSE, ["dataverse-1"])["dataverse-1"] == newer


def test_an_update_replaces_everything_even_the_key_and_ids(kit: Kit, problem: Problem) -> None:
    kit.commit(inserted=[kit.record(1)])
    changed = replace(kit.record(7), number=1, state=State.PARKED, problem=problem, due=5.0)
    kit.commit(updated=[changed])
    assert kit.get(1) == changed
    assert kit.store.by_ids(kit.layout, Side.COMMERCE, ["commerce-1"]) == {}
    assert set(kit.store.by_keys(kit.layout, ["c1", "c7"])) == {"c7"}


def test_a_new_record_may_take_the_key_another_gives_up(kit: Kit) -> None:
    kit.commit(inserted=[kit.record(1)])
    kit.commit(updated=[kit.record(1, ordinal=1)], inserted=[kit.record(2, key="c1")])
    assert [r.number for r in kit.store.by_keys(kit.layout, ["c1"])["c1"]] == [2, 1]


def everything(kit: Kit) -> Work:
    """Work that touches every table, around a record number 1 that is already there."""
    conflict = Conflict("g", {Side.COMMERCE: {"Balance": None}}, {Side.DATAVERSE: {}})
    return Work(
        kit.run,
        200.0,
        inserted=[kit.record(2)],
        updated=[kit.record(1, attempts=9)],
        positions=[Position(Side.COMMERCE, "feed", "p2")],
        waits={1: (Wait("g", Side.DATAVERSE, "e", "c", "v"),)},
        conflicts={1: (conflict,)},
        changes=[Change(1, 1, ChangeKind.LOST, Side.COMMERCE)],
        sweep=Sweep(Side.DATAVERSE, 99),
        map=MapRow(kit.map, "f2", "1.0.0.1"),
    )


def test_a_commit_that_fails_changes_nothing(kit: Kit) -> None:
    kit.commit(inserted=[kit.record(1)])
    work = everything(kit)
    work.completions = [Completion(77, "applied")]  # no such intent
    with pytest.raises(StateError) as caught:
        kit.store.commit(kit.lease, work)
    assert caught.value.code == "intent-missing"
    assert kit.get(1) == kit.record(1)
    assert kit.store.by_numbers(kit.layout, [2]) == {}
    assert not kit.store.positions(kit.map)
    assert not list(kit.store.waits(kit.map))
    assert not kit.store.open_conflicts(kit.map, 0, 10)
    assert not kit.store.history(1)
    assert kit.store.map_row(kit.map) is None

    work.completions = []
    kit.store.commit(kit.lease, work)  # and the same work without the fault is whole
    assert kit.get(1).attempts == 9
    assert kit.store.map_row(kit.map) is not None


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda kit: {"inserted": [kit.record(2), kit.record(3, key="c1")]}, "state-contradiction"),
        (lambda kit: {"inserted": [kit.record(2), kit.record(1, key="x")]}, "state-contradiction"),
        (lambda kit: {"inserted": [kit.record(2)], "updated": [kit.record(8)]}, "record-missing"),
        (lambda kit: {"inserted": [kit.record(2), kit.record(3, map="other")]}, "map-mixed"),
        (lambda kit: {"updated": [kit.record(1, map="other")]}, "map-mixed"),
        (
            lambda kit: {"inserted": [kit.record(2, commerce=SideState(image=("short",)))]},
            "image-width",
        ),
        (
            lambda kit: {"inserted": [kit.record(2, commerce=SideState(image=(2**64, 1, 1, 1)))]},
            "value-unstorable",
        ),
    ],
)
def test_contradictory_work_is_refused_as_a_whole(kit: Kit, change, code) -> None:  # type: ignore[no-untyped-def]
    kit.commit(inserted=[kit.record(1)])
    with pytest.raises(StateError) as caught:
        kit.commit(**change(kit))
    assert caught.value.code == code
    assert "C1" not in str(caught.value)  # no card number in the text
    assert set(kit.store.by_numbers(kit.layout, [1, 2, 3])) == {1}


def test_records_need_a_layout_first(kit: Kit) -> None:
    second = kit.another()
    with pytest.raises(StateError, match="before their layout"):
        second.commit(kit.lease, Work(1, 1.0, inserted=[kit.record(1)]))


def test_due_records_come_in_pages_by_number(kit: Kit) -> None:
    dues = {1: 10.0, 2: None, 3: 30.0, 4: 20.0, 5: 10.0}
    kit.commit(inserted=[kit.record(n, due=due) for n, due in dues.items()])
    assert [r.number for r in kit.store.due(kit.layout, 20.0, 0, 2)] == [1, 4]
    assert [r.number for r in kit.store.due(kit.layout, 20.0, 4, 2)] == [5]
    assert kit.store.next_due(kit.map) == 10.0
    kit.commit(updated=[kit.record(1), kit.record(5)])
    assert kit.store.next_due(kit.map) == 20.0
    assert kit.store.next_due("other-map") is None


def test_counts_and_needing_leave_tombstones_out(kit: Kit) -> None:
    tombstone = replace(kit.record(6), commerce=SideState(id="x"), dataverse=SideState(id="y"))
    kit.commit(
        inserted=[
            kit.record(1),
            kit.record(2, state=State.PARKED),
            kit.record(3, state=State.CONFLICT),
            kit.record(4, state=State.PARKED, dataverse=SideState()),
            kit.record(5, state=State.PENDING, unconfirmed=True),
            tombstone,
            replace(tombstone, number=7, key="c7", state=State.PARKED),
        ]
    )
    assert kit.store.counts(kit.map) == {
        State.SETTLED: 1,
        State.PENDING: 1,
        State.WAITING: 0,
        State.CONFLICT: 1,
        State.PARKED: 2,
    }
    assert kit.store.counts("other-map") == dict.fromkeys(State, 0)
    aside = {State.WAITING: 0, State.CONFLICT: 1, State.PARKED: 2}
    assert kit.store.set_aside(kit.map) == aside
    assert kit.store.set_aside("other-map") == dict.fromkeys(aside, 0)

    def needing(*states: State, after: int = 0, limit: int = 10) -> list[int]:
        return [r.number for r in kit.store.needing(kit.layout, states, after, limit)]

    assert needing(State.PARKED, State.CONFLICT) == [2, 3, 4]
    assert needing(State.PARKED, State.CONFLICT, after=2, limit=1) == [3]
    assert needing(State.SETTLED, State.PENDING) == [1, 5]
    assert needing(State.PENDING, after=5) == []
    assert kit.store.bound(kit.map, Side.COMMERCE) == 5
    assert kit.store.bound(kit.map, Side.DATAVERSE) == 4
    assert kit.store.unconfirmed(kit.map) == 1
    assert kit.store.unconfirmed("other-map") == kit.store.bound("other-map", Side.COMMERCE) == 0


def test_an_older_layout_is_handed_out_in_the_new_order(kit: Kit) -> None:
    kit.commit(inserted=[kit.record(1)])
    commerce = kit.layout.columns[Side.COMMERCE]
    wider = {
        Side.COMMERCE: (
            ("Added", ValueType.TEXT),
            ("EnrollmentDate", ValueType.DATE),
            ("CardNumber", ValueType.TEXT),
            ("Balance", ValueType.INTEGER),  # kept as a decimal: not the same column any more
        ),
        Side.DATAVERSE: kit.layout.columns[Side.DATAVERSE],
    }
    layout = kit.store.layout(kit.map, wider)
    assert layout.id != kit.layout.id
    number, day, _, _ = kit.commerce(1)
    seen = kit.store.by_numbers(layout, [1])[1]
    assert seen.commerce.image == seen.commerce.agreed == (None, day, number, None)
    assert seen.dataverse == kit.record(1).dataverse

    seen.commerce.image = ("new", day, number, 3)
    kit.commit(updated=[seen])
    assert kit.store.by_numbers(layout, [1])[1] == seen
    assert kit.store.layout(kit.map, {**wider, Side.COMMERCE: commerce}) == kit.layout
    assert kit.get(1).commerce.image == (number, day, None, None)


def test_a_layout_is_registered_once_for_all_workers(kit: Kit) -> None:
    assert kit.another().layout(kit.map, dict(kit.layout.columns)) == kit.layout
    assert kit.another().layout("other-map", dict(kit.layout.columns)).id != kit.layout.id


def test_a_sweep_makes_rows_the_scan_did_not_meet_unknown_and_due(kit: Kit) -> None:
    def at_tick(number: int, tick: int, **changed: object) -> object:
        record = kit.record(number, **changed)
        record.dataverse.tick = tick
        return record

    absent = replace(kit.record(3), dataverse=SideState(tick=1))
    kit.commit(inserted=[at_tick(1, 9), at_tick(2, 10), absent, at_tick(4, 9, state=State.PARKED)])
    kit.commit(at=300.0, sweep=Sweep(Side.DATAVERSE, 10))
    one, two, three, four = (kit.get(n) for n in (1, 2, 3, 4))
    assert (one.dataverse.presence, one.due, one.state) == (Presence.UNKNOWN, 300, State.PENDING)
    assert (two, three) == (kit.record(2, dataverse=two.dataverse), absent)
    assert two.dataverse.presence is Presence.PRESENT
    assert (four.dataverse.presence, four.state) == (Presence.UNKNOWN, State.PARKED)
    assert one.commerce.presence is Presence.PRESENT


def test_a_map_may_have_hundreds_of_columns(kit: Kit) -> None:
    wide = {
        side: tuple((sha256(f"{side}{n}".encode()).hexdigest(), ValueType.TEXT) for n in range(300))
        for side in Side
    }
    layout = kit.store.layout(kit.map, wide)
    assert kit.another().layout(kit.map, wide).id == layout.id
    assert layout.id != kit.layout.id
