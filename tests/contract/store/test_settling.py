"""Settling whole batches: creates that happened, their first sight, and a crash in between."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from connector.mapping.values import Side, ValueType
from connector.store.record import Presence, Record, State
from connector.store.work import Adoption, ChangeKind, Completion, Position

if TYPE_CHECKING:
    from tests.contract.store.conftest import Kit

POSITION = Position(Side.DATAVERSE, "scan", "page 2", ("a",), 1, 30, 200.0)


def load(kit: Kit, *numbers: int) -> None:
    """Intend the creates of these records as batch 1, as they will be, and complete them."""
    kit.commit(
        inserted=[intended(kit, n) for n in numbers],
        changes=[kit.intent(100 + n, n, batch=1) for n in numbers],
    )
    kit.commit(completed_batches=[(1, "applied")])


def intended(kit: Kit, number: int) -> Record:
    record = kit.fresh(number)
    record.dataverse.presence, record.unconfirmed = Presence.PRESENT, True
    record.state, record.due = State.SETTLED, None
    return record


def seen(kit: Kit, number: int) -> Adoption:
    image = (*kit.dataverse(number)[:2], None)  # not what we sent: the other side rounds
    return Adoption(f"dataverse-{number}", f"v{number}", image, 210.0, "our-user")


def adopt(kit: Kit, *rows: Adoption, tick: int = 30) -> list[str]:
    refused = kit.store.adopt(
        kit.lease, kit.layout, Side.DATAVERSE, tick, rows, POSITION, kit.run, 200.0
    )
    return list(refused)


def test_a_completed_batch_closes_its_intents(kit: Kit) -> None:
    load(kit, 1, 2)
    assert kit.get(1) == intended(kit, 1)
    assert kit.outcomes(1) == kit.outcomes(2) == ["applied"]
    assert kit.store.unconfirmed(kit.map) == 2
    assert kit.store.next_due(kit.map) is None


def test_what_a_batch_is_told_by_name_is_left_out_of_the_batch(kit: Kit) -> None:
    other_kind = kit.intent(4, 4, batch=1, kind=ChangeKind.UPDATE)
    kit.commit(
        inserted=[kit.fresh(1), kit.fresh(2), kit.fresh(3), kit.fresh(4)],
        changes=[kit.intent(1, 1, 1), kit.intent(2, 2, 1), kit.intent(3, 3, 2), other_kind],
    )
    kit.commit(
        completions=[Completion(2, "rejected", None, "too long")],
        completed_batches=[(1, "applied")],
    )
    assert [kit.outcomes(n) for n in (1, 2, 3, 4)] == [
        ["applied"],
        ["rejected"],
        [None],
        ["applied"],
    ]
    assert kit.store.history(2)[0].detail == "too long"


def test_a_first_sight_by_our_own_user_settles_the_record(kit: Kit) -> None:
    load(kit, 1, 2, 3)
    assert adopt(kit, seen(kit, 1), seen(kit, 2)) == []
    side = kit.get(1).dataverse
    assert side.image == side.agreed == seen(kit, 1).image
    assert (side.version, side.tick, side.modified_at, side.modifier) == ("v1", 30, 210, "our-user")
    assert not kit.get(1).unconfirmed
    assert kit.get(3).unconfirmed
    assert kit.store.positions(kit.map) == {(Side.DATAVERSE, "scan"): POSITION}


def unknown_row(kit: Kit, record: Record) -> None:
    record.dataverse.id = "another"


def not_present(kit: Kit, record: Record) -> None:
    record.dataverse.presence = Presence.UNKNOWN


def confirmed(kit: Kit, record: Record) -> None:
    record.unconfirmed = False


def settled_later(kit: Kit, record: Record) -> None:
    record.dataverse.tick = 31


def seen_before(kit: Kit, record: Record) -> None:
    record.dataverse.image = kit.dataverse(2)


@pytest.mark.parametrize("spoil", [unknown_row, not_present, confirmed, settled_later, seen_before])
def test_an_adoption_that_one_row_refuses_changes_nothing(kit: Kit, spoil) -> None:  # type: ignore[no-untyped-def]
    load(kit, 1, 2)
    record = kit.get(2)
    spoil(kit, record)
    kit.commit(updated=[record])
    assert adopt(kit, seen(kit, 1), seen(kit, 2)) == ["dataverse-2"]
    assert kit.get(1).unconfirmed
    assert kit.get(1).dataverse.image is None
    assert kit.get(2) == record
    assert not kit.store.positions(kit.map)


def test_a_row_that_comes_twice_is_not_adopted_set_based(kit: Kit) -> None:
    load(kit, 1, 2)
    assert adopt(kit, seen(kit, 1), seen(kit, 2), seen(kit, 1)) == ["dataverse-1"]
    assert kit.store.unconfirmed(kit.map) == 2


def test_a_record_under_an_older_layout_is_not_adopted_set_based(kit: Kit) -> None:
    load(kit, 1)
    columns = dict(kit.layout.columns)
    columns[Side.COMMERCE] = (*columns[Side.COMMERCE], ("Added", ValueType.TEXT))
    kit.layout = kit.store.layout(kit.map, columns)
    assert adopt(kit, seen(kit, 1)) == ["dataverse-1"]
    assert kit.get(1).dataverse.image is None


def test_adopting_nothing_moves_the_position(kit: Kit) -> None:
    assert adopt(kit) == []
    assert kit.store.positions(kit.map)[Side.DATAVERSE, "scan"] == POSITION


def test_after_a_crash_open_intents_are_unknown_and_their_records_due(kit: Kit) -> None:
    kit.commit(
        inserted=[kit.fresh(1), kit.record(2), kit.record(3), kit.record(4, state=State.PARKED)],
        changes=[
            kit.intent(1, 1, 1),
            kit.intent(2, 2, 2, kind=ChangeKind.UPDATE, side=Side.COMMERCE),
            kit.intent(3, 3, 3, outcome="applied"),
            kit.intent(4, 4, 3, detail="kept"),
        ],
    )
    later = kit.store.start_run("sync", kit.map, "f1", 400.0)
    assert kit.store.reopen_intents(kit.lease, later, 400.0) == 3
    one, two, four = kit.get(1), kit.get(2), kit.get(4)
    assert (one.dataverse.presence, one.due, one.state) == (Presence.UNKNOWN, 400, State.PENDING)
    assert (two.commerce.presence, two.due, two.state) == (Presence.UNKNOWN, 400, State.PENDING)
    assert two.dataverse.presence is Presence.PRESENT
    assert (four.due, four.state) == (400, State.PARKED)
    assert kit.get(3) == kit.record(3)
    assert [kit.outcomes(n) for n in (1, 2, 3)] == [["unknown"], ["unknown"], ["applied"]]
    assert kit.store.history(1)[0].detail == f"no reply was kept before run {later}"
    assert kit.store.history(4)[0].detail == "kept"
    assert kit.store.reopen_intents(kit.lease, later, 401.0) == 0
