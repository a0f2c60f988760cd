"""Replies that fail, get lost or surprise; whatever they are, no edit is lost and none doubled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import pytest

from connector.endpoints.base import Create, Delete, Operation, Update
from connector.engine.retry import Retry
from connector.errors import UnreachableError
from connector.mapping.values import Side
from connector.store.record import State
from connector.store.work import ChangeKind
from tests.integration.engine.conftest import map_text
from tests.integration.engine.scripted import Fault, Killed, Moments

if TYPE_CHECKING:
    from tests.integration.engine.conftest import Bench, MakeBench

C, D = Side.COMMERCE, Side.DATAVERSE


def once(bench: Bench, side: Side, fault: Fault, kind: type[Operation]) -> None:
    """The first operation of a kind meets a fault."""
    endpoint = bench.commerce if side is C else bench.dataverse
    left = [fault]

    def meet(operation: Operation) -> Fault | None:
        return left.pop() if left and isinstance(operation, kind) else None

    endpoint.fault = meet


FAULTS: list[Fault] = ["lost-after", "lost-before", "transient"]


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("target", [C, D])
@pytest.mark.parametrize("kind", [Create, Update, Delete])
def test_a_reply_that_goes_missing(
    make_bench: MakeBench, fault: Fault, target: Side, kind: type[Operation]
) -> None:
    bench = make_bench(map_text(deletes="{commerce: propagate, dataverse: propagate}"))
    for n in range(4):
        bench.new(C, f"C{n}")
    bench.load()
    source = target.other
    once(bench, target, fault, kind)
    if kind is Create:
        bench.new(source, "new")
    elif kind is Update:
        bench.edit(source, "C1", **{"name" if source is D else "Name": "edited"})
    else:
        bench.delete(source, "C2")
    before = bench.writes()
    bench.sync()
    bench.ahead += 1
    bench.sync()
    assert bench.writes() == before + 1
    bench.assert_settled()
    assert bench.counts.get("parked", 0) == 0


@pytest.mark.parametrize("fault", ["transient", "crash"])
def test_an_edit_of_the_source_while_its_create_is_in_doubt(
    make_bench: MakeBench, fault: Fault | Literal["crash"]
) -> None:
    """The record must not look deleted on the side it was never created on."""
    bench = make_bench(map_text(deletes="{commerce: propagate, dataverse: propagate}"))
    bench.new(C, "first")
    bench.load()
    bench.retry = Retry(first=10.0)
    bench.new(C, "new")
    if fault == "crash":
        bench.reopen(Moments(kill_on=["dataverse is asked to write"]))
        with pytest.raises(Killed):
            bench.sync()
        bench.reopen()
    else:
        once(bench, D, fault, Create)
        bench.sync()
    assert "new" not in bench.dataverse.by_key("cards")
    bench.edit(C, "new", Name="edited meanwhile")
    bench.sync()
    bench.ahead += 20
    bench.sync()
    assert bench.card(C, "new")["Name"] == "edited meanwhile"
    assert bench.card(D, "new")["name"] == "edited meanwhile"
    bench.assert_settled()


@pytest.mark.parametrize("kind", [Create, Update, Delete])
def test_an_edit_of_the_target_under_way_is_not_overwritten(
    loaded: Bench, kind: type[Operation]
) -> None:
    """Somebody gets there between our read and our write."""

    def meanwhile() -> None:
        loaded.dataverse.before_write = lambda: None
        if kind is Create:
            loaded.new(D, "new", "theirs")
        else:
            loaded.edit(D, "C1", name="theirs")

    loaded.dataverse.before_write = meanwhile
    if kind is Create:
        loaded.new(C, "new", "ours")
    elif kind is Update:
        loaded.edit(C, "C1", Name="ours")
    else:
        loaded.delete(C, "C1")
    number = loaded.record("C1").number
    loaded.sync()
    if kind is Delete:
        # The policy wants the delete, also against a newer edit; the edit is logged.
        assert "c1" not in loaded.dataverse.by_key("cards")
        losses = [c for c in loaded.open().history(number) if c.kind == "lost"]
        assert [c.before for c in losses] == [{"name": "theirs"}]
    elif kind is Update:
        assert loaded.record("C1").state is State.CONFLICT
        assert loaded.card(D, "C1")["name"] == "theirs"
        assert loaded.card(C, "C1")["Name"] == "ours"
    else:
        # First contact: the master wins, the other value is logged.
        assert loaded.card(D, "new")["name"] == "ours"
        losses = [c for c in loaded.history("new") if c.kind == "lost"]
        assert [c.before for c in losses] == [{"name": "theirs"}]
        loaded.assert_settled()


def test_a_refused_record_does_not_hold_up_others_and_travels_when_corrected(
    loaded: Bench,
) -> None:
    loaded.dataverse.fault = lambda o: (
        "rejected" if isinstance(o, Update) and o.values.get("name") == "bad" else None
    )
    loaded.edit(C, "C1", Name="bad")
    loaded.edit(C, "C2", Name="good")
    loaded.sync()
    record = loaded.record("C1")
    assert record.state is State.PARKED
    assert record.problem is not None
    assert record.problem.code == "dataverse-refused"
    assert loaded.card(D, "C2")["name"] == "good"
    verdict = loaded.verify()
    assert (verdict.equal, verdict.excused) == (True, 1)
    loaded.edit(C, "C1", Name="better")
    loaded.sync()
    assert loaded.card(D, "C1")["name"] == "better"
    loaded.assert_settled()


@pytest.mark.parametrize("fault", ["transient", "lost-before"])
@pytest.mark.parametrize("kind", [Create, Update])
def test_a_record_that_fails_again_and_again_is_parked(
    loaded: Bench, fault: Fault, kind: type[Operation]
) -> None:
    loaded.dataverse.fault = lambda operation: fault if isinstance(operation, kind) else None
    if kind is Create:
        loaded.new(C, "X")
    else:
        loaded.edit(C, "C1", Name="edited")
    for _ in range(loaded.retry.attempts + 1):
        loaded.sync()
        loaded.ahead += 1
    record = loaded.record("X" if kind is Create else "C1")
    assert record.problem is not None
    assert record.problem.code == "attempts-exhausted"


def test_a_side_that_is_down_loses_nothing(loaded: Bench) -> None:
    loaded.edit(C, "C1", Name="edited")
    loaded.edit(D, "C2", name="edited")

    def cut() -> None:
        loaded.dataverse.down = True
        raise UnreachableError("unreachable", "cut off", remedy="wait")

    loaded.dataverse.before_write = cut
    with pytest.raises(UnreachableError):
        loaded.sync()
    assert loaded.card(C, "C2")["Name"] == "edited"
    loaded.dataverse.before_write = lambda: None
    loaded.dataverse.down = False
    loaded.sync()
    assert loaded.card(D, "C1")["name"] == "edited"
    loaded.assert_settled()


def test_a_target_that_keeps_less_than_it_is_sent_is_not_written_back(loaded: Bench) -> None:
    loaded.dataverse.loses["name"] = lambda value: str(value)[:4]
    loaded.edit(C, "C1", Name="much too long")
    loaded.new(C, "new", "much too long as well")
    loaded.sync()
    assert loaded.card(D, "C1")["name"] == "much"
    before = loaded.writes()
    for _ in range(2):
        loaded.sync()
    assert loaded.writes() == before
    assert loaded.card(C, "C1")["Name"] == "much too long"
    assert loaded.card(C, "new")["Name"] == "much too long as well"
    verdict = loaded.verify()
    assert (verdict.equal, verdict.adjusted) == (True, 2)
    loaded.edit(D, "C1", name="own")
    loaded.sync()
    assert loaded.card(C, "C1")["Name"] == "own"


def test_a_lost_reply_of_a_target_that_keeps_less_is_no_edit_of_a_person(loaded: Bench) -> None:
    loaded.dataverse.loses["name"] = lambda value: str(value)[:4]
    once(loaded, D, "lost-after", Update)
    loaded.edit(C, "C1", Name="much too long")
    loaded.sync()
    assert loaded.card(C, "C1")["Name"] == "much too long"
    assert loaded.record("C1").state is State.SETTLED


def test_every_write_keeps_what_was_agreed_before_it(loaded: Bench) -> None:
    """What undo goes back to: the halves of the groups written, as they were."""
    loaded.edit(C, "C1", Name="new")
    loaded.delete(D, "C2")
    loaded.delete(C, "C3")
    number = loaded.record("C3").number
    loaded.sync()
    history = loaded.open().history(number)
    (update,) = [row for row in loaded.history("C1") if row.kind is ChangeKind.UPDATE]
    assert update.agreed == {C: {"Name": "C1"}, D: {"name": "C1"}}
    created, restored = [row for row in loaded.history("C2") if row.kind is ChangeKind.CREATE]
    assert created.agreed is None
    assert restored.agreed is not None
    assert restored.agreed[D]["name"] == "C2"
    (deleted,) = [row for row in history if row.kind is ChangeKind.DELETE]
    assert deleted.agreed is not None
    assert deleted.agreed[C] == {
        "Number": "C3", "Name": "C3", "Level": None, "Note": None, "Active": "Yes",
    }  # fmt: skip


def test_what_a_side_says_does_not_hide_why_it_was_asked(make_bench: MakeBench) -> None:
    bench = make_bench(map_text(deletes="{commerce: propagate, dataverse: propagate}"))
    for n in range(4):
        bench.new(C, f"C{n}")
    bench.load()
    once(bench, D, "lost-after", Delete)
    bench.delete(C, "C2")
    store, number = bench.open(), bench.record("C2").number
    bench.sync()
    (told,) = [row for row in store.history(number) if row.kind is ChangeKind.DELETE]
    assert told.outcome == "unknown"
    assert str(told.detail).startswith("deleted in commerce: ")
