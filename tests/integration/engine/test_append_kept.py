"""Maps in append mode: what becomes of rows that cannot be written when they are read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from connector.endpoints.base import Create, Operation
from connector.engine.retry import Retry
from connector.engine.runs.run import MapRun
from connector.store.record import State
from tests.integration.engine.adding import (
    NOTHING,
    C,
    D,
    add,
    append_bench,
    arrived,
    tables,
)
from tests.integration.engine.scenes import retry_all

if TYPE_CHECKING:
    from tests.integration.engine.conftest import Bench, MakeBench


@pytest.fixture
def bench(make_bench: MakeBench) -> Bench:
    return append_bench(make_bench)


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


def refusing(key: str, fault: str) -> Any:
    """A fault for each create of this row."""

    def faulty(operation: Operation) -> str | None:
        mine = isinstance(operation, Create) and operation.values["number"] == key
        return fault if mine else None

    return faulty
