"""Maps in append mode: every row arrives once, and nothing is kept of those that did."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any

import pytest

from connector.endpoints.base import Create, Operation, Pace
from connector.engine.retry import Retry
from connector.engine.runs.run import MapRun
from connector.errors import MapError, UsageError
from connector.mapping.values import Side
from connector.store.record import State
from tests.integration.engine.scenes import retry_all

if TYPE_CHECKING:
    from tests.integration.engine.conftest import Bench, MakeBench

C, D = Side.COMMERCE, Side.DATAVERSE

APPEND = """\
map: card
mode: append
commerce: {entity: Cards, filter: "Name ne 'draft'"}
dataverse: {entity: cards}
fields:
  - {commerce: Number, sync: ">", dataverse: number, key: true}
  - {commerce: Name, sync: ">", dataverse: name}
  - {commerce: Level, sync: ">", dataverse: level}
  - {commerce: Currency, sync: ">", dataverse: currency.code}
"""


@pytest.fixture
def bench(make_bench: MakeBench) -> Bench:
    """An append map from commerce; its lookup finds EUR."""
    bench = make_bench(APPEND)
    bench.dataverse.put("currencies", "id-eur", code="EUR")
    bench.retry = Retry(attempts=4, first=0.0)
    return bench


def add(bench: Bench, *keys: str, currency: str | None = "EUR") -> None:
    for key in keys:
        bench.new(C, key)
        bench.edit(C, key, Currency=currency)


def arrived(bench: Bench) -> list[str]:
    return sorted(bench.dataverse.by_key("cards"))


def tables(bench: Bench, *names: str) -> dict[str, int]:
    """Rows of the state, by table."""
    with sqlite3.connect(bench.path) as connection:
        listed = names or ("records", "waits", "changes", "conflicts")
        return {n: connection.execute(f"SELECT count(*) FROM {n}").fetchone()[0] for n in listed}


NOTHING = {"records": 0, "waits": 0, "changes": 0, "conflicts": 0}


# ---------------------------------------------------------------------------- every row once


def test_rows_are_added_once_and_nothing_is_kept_of_them(bench: Bench) -> None:
    add(bench, *(f"T{n}" for n in range(10)))
    assert bench.load().finished
    assert len(arrived(bench)) == 10
    assert bench.card(D, "T3")["currency"] == "id-eur"
    add(bench, "T10", "T11")
    assert bench.sync().finished
    assert bench.counts["created dataverse"] == 2
    assert tables(bench) == NOTHING
    bench.assert_settled()


def test_ten_thousand_rows_leave_no_row_each_in_the_state(make_bench: MakeBench) -> None:
    bench = make_bench(APPEND, page=1000)
    bench.dataverse.batch = 1000
    bench.dataverse.unique = False  # looking for a twin costs the scripted side a walk
    bench.dataverse.put("currencies", "id-eur", code="EUR")
    for n in range(9_990):
        bench.commerce.put("Cards", f"c{n}", Number=f"T{n}", Name="x", Currency="EUR")
    assert bench.load().finished
    size = bench.path.stat().st_size
    for n in range(9_990, 10_000):
        bench.commerce.put("Cards", f"c{n}", Number=f"T{n}", Name="x", Currency="EUR")
    assert bench.sync().finished
    assert len(bench.dataverse.rows["cards"]) == 10_000
    assert tables(bench) == NOTHING
    assert bench.path.stat().st_size == size


def test_the_id_of_a_row_follows_from_map_source_and_row(bench: Bench) -> None:
    """So that nobody who adds it once more, with a state of its own, adds it twice."""
    add(bench, "T1", "T2")
    bench.load()
    before = dict(bench.dataverse.rows["cards"])
    bench.close()
    bench.path.unlink()
    add(bench, "T3")
    assert bench.load().finished
    assert {id: bench.dataverse.rows["cards"][id] for id in before} == before
    assert len(arrived(bench)) == 3
    assert bench.counts["there dataverse"] == 2
    assert tables(bench) == NOTHING


def test_a_loaded_map_is_loaded_again_only_where_asked(bench: Bench) -> None:
    add(bench, "T1", "T2", "T3", "T4")
    bench.load()
    with pytest.raises(UsageError) as told:
        bench.load()
    assert told.value.code == "map-loaded"
    bench.delete(D, "T2")
    sizes = len(bench.dataverse.sizes)
    assert bench.load(again=True).finished
    assert len(arrived(bench)) == 4
    assert bench.dataverse.sizes[sizes:] == [1], "rows that are there are not sent again"


def test_a_map_that_was_not_loaded_is_not_synced(bench: Bench) -> None:
    with pytest.raises(MapError) as told:
        bench.sync()
    assert told.value.code == "map-not-loaded"


def test_rows_outside_the_filter_stay_at_home(bench: Bench) -> None:
    add(bench, "T1")
    bench.commerce.put("Cards", "c-X", Number="X", Name="draft")
    bench.load()
    assert arrived(bench) == ["t1"]
    assert bench.verify().ignored == 1


def test_an_append_map_may_go_to_commerce(make_bench: MakeBench) -> None:
    bench = make_bench(
        "map: card\nmode: append\ncommerce: {entity: Cards}\ndataverse: {entity: cards}\n"
        "fields:\n"
        '  - {commerce: Number, sync: "<", dataverse: number, key: true}\n'
        '  - {commerce: Name, sync: "<", dataverse: name}\n'
    )
    for n in range(5):
        bench.new(D, f"D{n}")
    assert bench.load().finished
    bench.new(D, "D5")
    assert bench.sync().finished
    assert len(bench.commerce.by_key("Cards")) == 6
    assert tables(bench) == NOTHING
    bench.assert_settled()


def test_a_table_that_takes_a_row_twice_is_refused(bench: Bench) -> None:
    bench.dataverse.ids = "allotted"
    with pytest.raises(MapError) as told:
        bench.load()
    assert told.value.code == "append-unsafe"


# ------------------------------------------------------------------------ what cannot be written


def test_a_row_waits_whole_for_what_it_refers_to_and_holds_nobody_up(bench: Bench) -> None:
    add(bench, "T1", "T3")
    add(bench, "T2", currency="XTS")
    bench.load()
    assert arrived(bench) == ["t1", "t3"]
    assert bench.record("T2").state is State.WAITING
    assert bench.verify().excused == 1
    assert bench.sync().finished
    bench.dataverse.put("currencies", "id-xts", code="XTS")
    assert bench.sync().finished
    assert bench.card(D, "T2")["currency"] == "id-xts"
    assert tables(bench) == NOTHING
    bench.assert_settled()


def test_a_refused_row_is_set_aside_until_somebody_tries_it_again(bench: Bench) -> None:
    add(bench, "T1", "T2", "T3")
    bench.dataverse.fault = refusing("T2", "rejected")
    bench.load()
    assert arrived(bench) == ["t1", "t3"]
    problem = bench.record("T2").problem
    assert problem is not None
    assert problem.code == "dataverse-refused"
    assert bench.counts["parked"] == 1
    assert bench.verify().excused == 1
    bench.dataverse.fault = lambda _operation: None
    bench.sync()
    assert arrived(bench) == ["t1", "t3"], "nobody asked for it"
    retry_all(bench)  # type: ignore[arg-type]
    assert bench.counts["freed"] == 1
    assert len(arrived(bench)) == 3
    assert tables(bench, "records", "waits") == {"records": 0, "waits": 0}
    bench.assert_settled()


@pytest.mark.parametrize("fault", ["lost-after", "lost-before", "transient"])
def test_a_row_in_doubt_is_sent_again_in_the_same_run(bench: Bench, fault: str) -> None:
    left = [fault, fault]

    def faulty(operation: Operation) -> Any:
        hit = isinstance(operation, Create) and operation.values["number"] == "T2" and left
        return left.pop() if hit else None

    add(bench, "T1", "T2", "T3")
    bench.dataverse.fault = faulty
    bench.load()
    while not bench.sync().finished:
        bench.ahead += 1
    assert len(arrived(bench)) == 3
    assert left == []
    assert tables(bench) == NOTHING
    bench.assert_settled()


def test_a_row_that_fails_again_and_again_is_a_persons(bench: Bench) -> None:
    add(bench, "T1", "T2")
    bench.dataverse.fault = refusing("T2", "transient")
    bench.load()
    for _ in range(5):
        bench.ahead += 100
        bench.sync()
    problem = bench.record("T2").problem
    assert problem is not None
    assert problem.code == "attempts-exhausted"


def test_reading_goes_no_further_where_too_many_rows_wait_for_their_next_try(bench: Bench) -> None:
    """A side that takes nothing must not fill the state with the whole source."""
    bench.retry = Retry(attempts=100, first=60.0)
    bench.dataverse.fault = lambda _operation: "transient"
    add(bench, *(f"T{n:02}" for n in range(30)))
    bench.load()
    kept = tables(bench, "records")["records"]
    assert bench.limits.page <= kept <= 3 * bench.limits.page
    assert not bench.load().finished
    assert tables(bench, "records")["records"] == kept
    bench.dataverse.fault = lambda _operation: None
    while not bench.load().finished:
        bench.ahead += 100
    assert len(arrived(bench)) == 30
    assert tables(bench) == NOTHING


def test_two_rows_of_one_key_are_told(bench: Bench) -> None:
    add(bench, "T1")
    bench.commerce.put("Cards", "c-t1", Number="t1", Name="another", Currency="EUR")
    bench.load()
    (record,) = [one for some in bench.records().values() for one in some]
    assert record.problem is not None
    assert record.problem.code == "duplicate-key"
    bench.commerce.change("Cards", "c-t1", {"Number": "T2"})
    assert bench.sync().finished
    assert arrived(bench) == ["t1", "t2"]
    assert tables(bench) == NOTHING


def test_a_row_without_a_key_is_set_aside_until_it_has_one(bench: Bench) -> None:
    bench.commerce.put("Cards", "c-1", Number=None, Name="x")
    bench.load()
    (record,) = [one for some in bench.records().values() for one in some]
    assert record.problem is not None
    assert record.problem.code == "key-missing"
    bench.commerce.change("Cards", "c-1", {"Number": "T1"})
    assert bench.sync().finished
    assert arrived(bench) == ["t1"]
    assert tables(bench) == NOTHING


def test_a_kept_row_that_goes_from_the_source_is_forgotten(bench: Bench) -> None:
    add(bench, "T1", currency="XTS")
    bench.load()
    bench.delete(C, "T1")
    assert bench.sync().finished
    assert tables(bench) == NOTHING


def test_somebody_elses_row_under_the_key_is_in_the_way_unless_it_is_the_same(bench: Bench) -> None:
    add(bench, "T1", "T2")
    bench.dataverse.put("cards", "d-1", number="T1", name="T1", level=None, currency="id-eur")
    bench.dataverse.put("cards", "d-2", number="T2", name="something else")
    bench.load()
    problem = bench.record("T2").problem
    assert problem is not None
    assert problem.code == "row-in-the-way"
    assert list(bench.records()) == ["t2"]
    bench.delete(D, "T2")
    retry_all(bench)  # type: ignore[arg-type]
    assert bench.card(D, "T2")["name"] == "T2"


def test_a_second_row_of_one_key_is_set_aside_whenever_it_comes(bench: Bench) -> None:
    add(bench, "T1")
    bench.load()
    bench.commerce.put("Cards", "c-2", Number="T1", Name="another", Currency="EUR")
    bench.sync()
    assert bench.card(D, "T1")["name"] == "T1"
    problem = bench.record("T1").problem
    assert problem is not None
    assert problem.code == "row-in-the-way"
    assert bench.load(again=True).finished
    assert arrived(bench) == ["t1"]
    assert bench.record("T1").problem == problem


def test_a_discarded_row_stays_out(bench: Bench) -> None:
    from connector.engine.decisions.accept import accept

    add(bench, "T1")
    bench.dataverse.fault = refusing("T1", "rejected")
    bench.load()
    bench.dataverse.fault = lambda _operation: None

    def discard(run: MapRun) -> int:
        return accept(run, run.store.needing(run.layout, [State.PARKED], 0, 10), "anna")

    assert bench.run(discard) == 1
    assert bench.sync().finished
    assert arrived(bench) == []
    assert bench.verify().ignored == 1


# ---------------------------------------------------------------------------- what people do there


def test_edits_and_deletes_on_the_other_side_are_told_by_a_comparison_alone(bench: Bench) -> None:
    add(bench, "T1", "T2", "T3")
    bench.load()
    bench.edit(D, "T1", name="edited")
    bench.delete(D, "T2")
    bench.new(D, "X1")
    reads = bench.dataverse.calls["changes"] + bench.dataverse.calls["scan"]
    assert bench.sync().finished
    assert bench.dataverse.calls["changes"] + bench.dataverse.calls["scan"] == reads
    verdict = bench.verify()
    assert {(f.verdict, f.key): f.reason for f in verdict.findings} == {
        ("drift", "T1"): "edited in dataverse; this map adds rows and changes none",
        ("difference", "T2"): "only in commerce",
        ("ignored", "X1"): "only in dataverse, as the map or a person wants",
    }
    repaired = bench.repair()
    assert repaired.equal
    assert bench.card(D, "T1")["name"] == "edited"
    assert "t2" in arrived(bench)


def test_what_the_other_side_cut_is_no_edit(bench: Bench) -> None:
    bench.dataverse.loses["name"] = lambda value: str(value)[:3]
    bench.commerce.put("Cards", "c-1", Number="T1", Name="a long name", Currency="EUR")
    bench.load()
    reads = bench.commerce.calls["read"]
    assert bench.verify().findings == []
    assert bench.commerce.calls["read"] == reads, "rows that are as they were added are read once"
    bench.edit(D, "T1", name="b")
    assert [finding.field for finding in bench.verify().findings] == ["Name"]


def test_a_dry_run_tells_what_would_be_added_and_keeps_nothing(bench: Bench) -> None:
    add(bench, "T1", "T2")
    assert bench.rehearse().counts == {"create dataverse": 2}
    bench.load()
    add(bench, "T3")
    add(bench, "T4", currency="XTS")
    assert bench.rehearse().counts == {"create dataverse": 1, "wait": 1}
    assert tables(bench) == NOTHING
    bench.sync()
    assert bench.rehearse().counts == {}


def test_one_row_alone(bench: Bench) -> None:
    add(bench, "T1")
    bench.load()
    add(bench, "T2", "T3")
    assert bench.sync(only="t3").finished
    assert arrived(bench) == ["t1", "t3"]
    assert bench.verify_one("T2").differences == 1
    assert bench.sync().finished
    assert len(arrived(bench)) == 3


# ---------------------------------------------------------------------------- feeds and backups


def test_an_expired_feed_is_replaced_by_the_table_and_nothing_is_sent_twice(bench: Bench) -> None:
    add(bench, *(f"T{n}" for n in range(7)))
    bench.load()
    add(bench, "T8")
    bench.commerce.forget_feed()
    sizes = len(bench.dataverse.sizes)
    assert bench.sync().finished
    assert len(arrived(bench)) == 8
    assert bench.dataverse.sizes[sizes:] == [1]


def test_rows_that_went_with_a_backup_come_back(bench: Bench) -> None:
    add(bench, "T1", "T2")
    bench.load()
    restore = bench.dataverse.backup()
    add(bench, "T3", "T4")
    bench.sync()
    restore()
    bench.sync()
    assert arrived(bench) == ["t1", "t2"], "looked for at most once a minute"
    bench.ahead += 120
    assert bench.sync().finished
    assert len(arrived(bench)) == 4
    assert bench.counts["rows gone"] == 1
    bench.assert_settled()


@pytest.mark.parametrize("knows_its_end", [False, True])
def test_a_source_that_went_back_gives_no_row_away(bench: Bench, knows_its_end: bool) -> None:
    """It may give a key once more, to another row; what was added before stays."""
    bench.commerce.knows_its_end = knows_its_end
    add(bench, "T1")
    bench.load()
    restore = bench.commerce.backup()
    add(bench, "T2")
    bench.sync()
    restore()
    add(bench, "T3")
    bench.commerce.put("Cards", "c-new", Number="T2", Name="another T2", Currency="EUR")
    bench.ahead += 120
    bench.sync()
    assert len(arrived(bench)) == 3
    problem = bench.record("T2").problem
    assert problem is not None
    assert problem.code == "row-in-the-way"


def test_a_changed_map_concerns_new_rows_and_those_that_were_kept(bench: Bench) -> None:
    add(bench, "T1")
    add(bench, "T2", currency="XTS")
    bench.load()
    bench.text = APPEND.replace(
        '  - {commerce: Currency, sync: ">", dataverse: currency.code}\n', ""
    )
    assert bench.sync().finished
    assert len(arrived(bench)) == 2
    assert tables(bench) == NOTHING


def test_a_map_does_not_change_its_mode(bench: Bench) -> None:
    add(bench, "T1")
    bench.load()
    bench.text = APPEND.replace("mode: append\n", "")
    with pytest.raises(MapError) as told:
        bench.sync()
    assert told.value.code == "map-rekeyed"


def test_calls_are_as_large_as_the_side_takes_them(make_bench: MakeBench) -> None:
    bench = make_bench(APPEND, page=12)
    bench.dataverse.batch = 12
    bench.dataverse.put("currencies", "id-eur", code="EUR")
    bench.dataverse.paced = lambda: Pace(rows=5, calls=1, pause=max(0.0, 2.0 - bench.ahead))
    add(bench, *(f"T{n}" for n in range(12)))
    assert bench.load().finished
    assert bench.dataverse.sizes == [5, 5, 2]
    assert bench.ahead >= 2, "it stood still while the side took nothing"


def test_a_run_that_is_told_to_stop_goes_on_where_it_was(bench: Bench) -> None:
    add(bench, *(f"T{n}" for n in range(20)))
    bench.stopping = lambda: bench.dataverse.calls["write"] >= 2
    assert not bench.load().finished
    some = len(arrived(bench))
    assert 0 < some < 20
    bench.stopping = lambda: False
    assert bench.load().finished
    assert len(arrived(bench)) == 20
    assert tables(bench) == NOTHING


def refusing(key: str, fault: str) -> Any:
    """A fault for each create of this row."""

    def faulty(operation: Operation) -> str | None:
        mine = isinstance(operation, Create) and operation.values["number"] == key
        return fault if mine else None

    return faulty
