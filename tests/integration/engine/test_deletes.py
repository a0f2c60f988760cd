"""Deletes: what they mean for the other side, and the guard against too many."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from connector.endpoints.base import Delete, Operation
from connector.engine.ports import Guard
from connector.engine.retry import Retry
from connector.errors import MapStoppedError
from connector.mapping.values import Side
from tests.integration.engine.conftest import map_text
from tests.integration.engine.scripted import Fault

if TYPE_CHECKING:
    from tests.integration.engine.conftest import Bench, MakeBench

C, D = Side.COMMERCE, Side.DATAVERSE


def start(make_bench: MakeBench, deletes: str, count: int = 3) -> Bench:
    """Cards on both sides under a delete policy."""
    bench = make_bench(map_text(deletes=deletes), page=50)
    for n in range(count):
        bench.new(C, f"C{n}")
    bench.load()
    return bench


def deletes_sent(bench: Bench) -> int:
    return sum(isinstance(one, Delete) for one in bench.dataverse.written)


def test_propagate_and_restore(loaded: Bench) -> None:
    loaded.delete(C, "C1")
    loaded.delete(D, "C2")
    loaded.sync()
    assert "c1" not in loaded.dataverse.by_key("cards")
    assert loaded.card(D, "C2") == {**loaded.card(D, "C2"), "name": "C2", "active": True}
    loaded.assert_settled()


def test_deactivate_marks_the_counterpart(make_bench: MakeBench) -> None:
    bench = start(make_bench, "{commerce: deactivate, dataverse: ignore}")
    bench.delete(C, "C1")
    bench.sync()
    assert bench.card(D, "C1")["active"] is False
    verdict = bench.verify()
    assert (verdict.equal, verdict.ignored) == (True, 1)
    before = bench.writes()
    bench.sync()
    assert bench.writes() == before


def test_ignore_leaves_the_sides_apart_and_verify_counts_it(make_bench: MakeBench) -> None:
    bench = start(make_bench, "{commerce: propagate, dataverse: ignore}")
    bench.delete(D, "C1")
    before = bench.writes()
    bench.sync()
    bench.sync()
    assert bench.writes() == before
    assert "c1" in bench.commerce.by_key("Cards")
    verdict = bench.verify()
    assert (verdict.equal, verdict.ignored) == (True, 1)


def test_a_delete_against_a_newer_edit_follows_the_policy_and_is_logged(loaded: Bench) -> None:
    loaded.delete(C, "C1")
    loaded.edit(D, "C1", name="edited")
    number = loaded.record("C1").number
    loaded.sync()
    assert "c1" not in loaded.dataverse.by_key("cards")
    losses = [c for c in loaded.open().history(number) if c.kind == "lost"]
    assert [c.before for c in losses] == [{"name": "edited"}]


@pytest.mark.parametrize("edited", [False, True])
@pytest.mark.parametrize("policy", ["propagate", "restore", "deactivate", "ignore"])
@pytest.mark.parametrize("side", [C, D])
def test_every_policy_on_both_sides_also_against_a_newer_edit(
    make_bench: MakeBench, side: Side, policy: str, edited: bool
) -> None:
    """What is left on the other side, and that an edit which gives way stands in the audit."""
    bench = start(make_bench, f"{{commerce: {policy}, dataverse: {policy}}}")
    number, other = bench.record("C1").number, side.other
    named, active = ("Name", "Active") if other is C else ("name", "active")
    before = bench.writes()
    bench.delete(side, "C1")
    if edited:
        bench.edit(other, "C1", **{named: "edited"})
    bench.sync()
    name = "edited" if edited else "C1"
    rows = {
        s: (bench.commerce.by_key("Cards"), bench.dataverse.by_key("cards"))[s is D] for s in Side
    }
    lost = [row.before for row in bench.open().history(number) if row.kind == "lost"]
    reasons = [row.detail for row in bench.open().history(number) if row.kind == "delete"]
    assert bench.writes() == before + (policy != "ignore")
    assert ("c1" in rows[other]) is (policy != "propagate")
    assert ("c1" in rows[side]) is (policy == "restore")
    if policy == "propagate":
        against = f" against a newer edit of Name in {other}" if edited else ""
        assert reasons == [f"deleted in {side}{against}"]
        assert lost == ([{named: "edited"}] if edited else [])
    else:
        assert (lost, rows[other]["c1"][named]) == ([], name)
    if policy == "restore":
        assert rows[side]["c1"]["Name" if side is C else "name"] == name
    if policy == "deactivate":
        assert rows[other]["c1"][active] == ("No" if other is C else False)
    bench.assert_settled_but(policy in ("deactivate", "ignore"))


def test_a_record_deleted_on_both_sides_is_gone(loaded: Bench) -> None:
    loaded.delete(C, "C1")
    loaded.delete(D, "C1")
    before = loaded.writes()
    loaded.sync()
    assert loaded.writes() == before
    loaded.assert_settled()


def test_a_deleted_card_may_come_back_under_another_id(loaded: Bench) -> None:
    loaded.delete(C, "C1")
    loaded.sync()
    loaded.commerce.put("Cards", "another", Number="c1", Name="again", Active="Yes")
    loaded.sync()
    assert loaded.card(D, "C1")["name"] == "again"
    loaded.assert_settled()


def test_the_first_delete_beyond_the_guard_is_not_sent(make_bench: MakeBench) -> None:
    bench = start(make_bench, "{commerce: propagate, dataverse: restore}", count=40)
    bench.guard = Guard(rows=10, share=1.0)
    for n in range(15):
        bench.delete(C, f"C{n}")
    bench.edit(C, "C20", Name="edited")
    with pytest.raises(MapStoppedError) as told:
        bench.sync()
    assert told.value.code == "delete-guard"
    assert "10 records" in told.value.message
    assert deletes_sent(bench) == 10
    with pytest.raises(MapStoppedError):
        bench.sync()
    assert deletes_sent(bench) == 10
    assert bench.open().map_row("card").stopped.code == "delete-guard"  # type: ignore[union-attr]


SHOWN = """\
map: card
delete_guard: false
commerce: {entity: Cards}
dataverse: {entity: cards}
fields:
  - {commerce: Number, sync: ">", dataverse: number, key: true}
  - {commerce: Name, sync: ">", dataverse: name}
"""


def test_rows_that_are_only_shown_go_in_any_number(make_bench: MakeBench) -> None:
    bench = make_bench(SHOWN, page=50)
    bench.guard = Guard(rows=1, share=0.01)
    for n in range(20):
        bench.new(C, f"C{n}")
    bench.load()
    for n in range(15):
        bench.delete(C, f"C{n}")
    assert bench.sync().finished
    assert deletes_sent(bench) == 15
    bench.assert_settled()


def test_the_share_counts_from_three_deletes_on(make_bench: MakeBench) -> None:
    bench = start(make_bench, "{commerce: propagate, dataverse: restore}", count=20)
    for n in range(2):
        bench.delete(C, f"C{n}")
    assert bench.sync().finished
    bench.delete(C, "C2")
    with pytest.raises(MapStoppedError):
        bench.sync()
    assert deletes_sent(bench) == 2


def test_the_guard_counts_over_all_runs_of_the_hour(make_bench: MakeBench) -> None:
    bench = start(make_bench, "{commerce: propagate, dataverse: restore}", count=20)
    bench.guard = Guard(rows=2, share=1.0)
    for n in range(2):
        bench.delete(C, f"C{n}")
        assert bench.sync().finished
    bench.delete(C, "C2")
    bench.ahead += 3700
    assert bench.sync().finished
    assert deletes_sent(bench) == 3


@pytest.mark.parametrize("side", [C, D])
def test_the_guard_holds_after_an_expired_feed(make_bench: MakeBench, side: Side) -> None:
    """Deletes found out by a scan are deletes as well."""
    bench = start(make_bench, "{commerce: propagate, dataverse: propagate}", count=40)
    bench.guard = Guard(rows=10, share=1.0)
    for n in range(15):
        bench.delete(side, f"C{n}")
    (bench.commerce if side is C else bench.dataverse).forget_feed()
    written = (bench.dataverse if side is C else bench.commerce).written
    for _ in range(2):
        with pytest.raises(MapStoppedError) as told:
            bench.sync()
        assert told.value.code == "delete-guard"
        assert sum(isinstance(one, Delete) for one in written) == 10


def test_the_guard_holds_against_a_trickle(make_bench: MakeBench) -> None:
    """One delete a minute: the hour slides, and with it what is allowed."""
    bench = start(make_bench, "{commerce: propagate, dataverse: restore}", count=40)
    bench.guard = Guard(rows=10, share=1.0)
    for n in range(10):
        bench.delete(C, f"C{n}")
        assert bench.sync().finished
        bench.ahead += 60
    bench.delete(C, "C10")
    with pytest.raises(MapStoppedError):
        bench.sync()
    assert deletes_sent(bench) == 10
    bench.ahead += 3600 - 10 * 60
    bench.resume(allow_deletes=0)
    assert bench.sync().finished, "the first of them left the hour"
    bench.delete(C, "C11")
    with pytest.raises(MapStoppedError):
        bench.sync()
    assert deletes_sent(bench) == 11


def test_exactly_as_many_are_released_as_a_person_said(make_bench: MakeBench) -> None:
    bench = start(make_bench, "{commerce: propagate, dataverse: restore}", count=40)
    bench.guard = Guard(rows=10, share=1.0)
    for n in range(20):
        bench.delete(C, f"C{n}")
    with pytest.raises(MapStoppedError):
        bench.sync()
    assert deletes_sent(bench) == 10
    bench.resume(allow_deletes=4)
    with pytest.raises(MapStoppedError):
        bench.sync()
    assert deletes_sent(bench) == 14
    bench.resume(allow_deletes=0)
    with pytest.raises(MapStoppedError):
        bench.sync()
    assert deletes_sent(bench) == 14
    bench.resume(allow_deletes=8)
    assert bench.sync().finished
    assert deletes_sent(bench) == 20
    for n in range(20, 23):
        bench.delete(C, f"C{n}")
    with pytest.raises(MapStoppedError):
        bench.sync()
    assert deletes_sent(bench) == 22


def throttle(bench: Bench, times: int) -> None:
    """Every delete is turned away so many times before it is done."""
    turned: Counter[str] = Counter()

    def fault(operation: Operation) -> Fault | None:
        if not isinstance(operation, Delete) or turned[operation.id] == times:
            return None
        turned[operation.id] += 1
        return "transient"

    bench.dataverse.fault = fault


def sync_until_quiet(bench: Bench) -> None:
    """Runs a minute apart, until a delete has gone through that was turned away in each."""
    for _ in range(8):
        bench.sync()
        bench.ahead += 60


def test_meant_deletes_that_are_throttled_count_once(make_bench: MakeBench) -> None:
    bench = start(make_bench, "{commerce: propagate, dataverse: restore}", count=40)
    bench.guard = Guard(rows=10, share=1.0)
    bench.retry = Retry(attempts=9, first=30.0)
    throttle(bench, 5)
    for n in range(10):
        bench.delete(C, f"C{n}")
    sync_until_quiet(bench)
    assert len(bench.dataverse.by_key("cards")) == 30
    bench.delete(C, "C10")
    with pytest.raises(MapStoppedError):
        bench.sync()
    assert len(bench.dataverse.by_key("cards")) == 30


def test_a_released_delete_that_is_throttled_stays_released(make_bench: MakeBench) -> None:
    bench = start(make_bench, "{commerce: propagate, dataverse: restore}", count=40)
    bench.guard = Guard(rows=10, share=1.0)
    bench.retry = Retry(attempts=9, first=30.0)
    for n in range(15):
        bench.delete(C, f"C{n}")
    with pytest.raises(MapStoppedError):
        bench.sync()
    throttle(bench, 5)
    bench.resume(allow_deletes=5)
    sync_until_quiet(bench)
    assert len(bench.dataverse.by_key("cards")) == 25
    bench.delete(C, "C15")
    with pytest.raises(MapStoppedError):
        bench.sync()


def test_deletes_whose_replies_are_lost_count_once_each(make_bench: MakeBench) -> None:
    """They may have happened, and go out again for the same record."""
    bench = start(make_bench, "{commerce: propagate, dataverse: restore}", count=40)
    bench.guard = Guard(rows=10, share=1.0)
    lost: set[str] = set()

    def fault(operation: Operation) -> Fault | None:
        if not isinstance(operation, Delete) or operation.id in lost:
            return None
        lost.add(operation.id)
        return "lost-before"

    bench.dataverse.fault = fault
    for n in range(11):
        bench.delete(C, f"C{n}")
    with pytest.raises(MapStoppedError):
        bench.sync()
    assert len(lost) == 10
    bench.resume(allow_deletes=1)
    sync_until_quiet(bench)
    assert len(bench.dataverse.by_key("cards")) == 29
