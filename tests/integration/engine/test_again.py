"""A person has what was set aside tried again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connector.engine.decisions.again import try_again
from connector.engine.retry import Retry
from connector.mapping.values import Side
from connector.store.record import State

if TYPE_CHECKING:
    from tests.integration.engine.conftest import Bench

C, D = Side.COMMERCE, Side.DATAVERSE


def retry(bench: Bench, key: str) -> int:
    """How many were freed."""
    freed = bench.run(lambda run: try_again(run, [bench.record(key)], "anna"), "retry")
    assert isinstance(freed, int)
    return freed


def test_a_write_refused_once_is_taken_up_without_a_new_edit(loaded: Bench) -> None:
    loaded.edit(C, "C1", Name="edited")
    loaded.dataverse.fault = lambda _operation: "rejected"
    loaded.sync()
    loaded.dataverse.fault = lambda _operation: None
    loaded.sync()
    assert loaded.record("C1").state is State.PARKED
    assert retry(loaded, "C1") == 1
    assert loaded.card(D, "C1")["name"] == "edited"
    notes = [row.detail for row in loaded.history("C1") if row.kind == "decision"]
    assert notes == ["tried again: dataverse-refused, decided by anna"]
    loaded.assert_settled()


def test_what_is_still_refused_stays_set_aside(loaded: Bench) -> None:
    loaded.edit(C, "C1", Name="edited")
    loaded.dataverse.fault = lambda _operation: "rejected"
    loaded.sync()
    assert retry(loaded, "C1") == 0
    assert loaded.record("C1").state is State.PARKED


def test_our_own_write_in_doubt_is_not_taken_for_an_edit(loaded: Bench) -> None:
    """Its reply was lost; until the retry commerce was edited once more."""
    loaded.retry = Retry(attempts=1, first=0.0)
    loaded.edit(C, "C1", Name="first")
    loaded.dataverse.fault = lambda _operation: "lost-after"
    loaded.sync()
    loaded.dataverse.fault = lambda _operation: None
    assert loaded.record("C1").state is State.PARKED
    loaded.edit(C, "C1", Name="second")
    assert retry(loaded, "C1") == 1
    assert loaded.card(D, "C1")["name"] == "second"
    assert list(loaded.open().open_conflicts("card", 0, 10)) == []
    loaded.assert_settled()
