"""A column that may not be read any more looks empty: nobody emptied it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from connector.endpoints.base import Entity
from connector.engine.news.absorb import reread
from connector.engine.runs.run import MapRun
from connector.errors import MapError
from connector.mapping.values import Side

if TYPE_CHECKING:
    from tests.integration.engine.conftest import Bench

C, D = Side.COMMERCE, Side.DATAVERSE


def secured(bench: Bench, run: MapRun) -> None:
    """The right to read names goes while a run is at work, and somebody edits a row."""
    bench.dataverse.unreadable = {"name"}
    bench.edit(D, "C1", level=7)
    with pytest.raises(MapError) as told:
        bench.sync_in(run)
    assert told.value.code == "column-forbidden"
    assert told.value.subject.field == "name"


def test_what_may_not_be_read_is_not_taken_for_an_edit(loaded: Bench) -> None:
    before = loaded.record("C1")
    loaded.run(lambda run: secured(loaded, run))
    loaded.dataverse.unreadable = set()
    assert loaded.record("C1") == before
    assert loaded.card(C, "C1")["Name"] == "C1"
    loaded.sync()
    assert loaded.card(C, "C1")["Name"] == "C1"
    assert loaded.card(C, "C1")["Level"] == 7
    loaded.assert_settled()


def test_neither_when_a_record_is_read_for_itself(loaded: Bench) -> None:
    def work(run: MapRun) -> None:
        record = loaded.record("C1")
        loaded.dataverse.unreadable = {"name"}
        with pytest.raises(MapError) as told:
            reread(run, D, [record])
        assert told.value.code == "column-forbidden"

    loaded.run(work)


def test_a_value_that_somebody_cleared_travels(loaded: Bench) -> None:
    loaded.edit(D, "C1", name=None)
    loaded.sync()
    assert loaded.card(C, "C1")["Name"] is None
    loaded.assert_settled()


def test_the_side_is_asked_once_for_all_rows_of_a_page(
    loaded: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    describe = loaded.dataverse.describe

    def counted(entity: str) -> Entity:
        asked.append(entity)
        return describe(entity)

    def work(run: MapRun) -> None:
        monkeypatch.setattr(loaded.dataverse, "describe", counted)
        for number in ("C1", "C2", "C3"):
            loaded.edit(D, number, name=None)
        loaded.sync_in(run)

    loaded.run(work)
    assert len(asked) == 1
    assert loaded.card(C, "C3")["Name"] is None
