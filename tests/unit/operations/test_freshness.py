"""What agents are told of how fresh a map is, and that nothing depends on telling them."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from connector.errors import MapError, Problem, UnreachableError
from connector.mapping.document import MapDocument, parse_document
from connector.mapping.values import Side, Value
from connector.operations.runs.freshness import EVERY, TROUBLED, Freshness, id_of, row_of
from connector.store.record import State
from connector.store.work import MapRow, Position, RunRow

if TYPE_CHECKING:
    from connector.bootstrap import Project

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC).timestamp()
SYNC = parse_document(
    "map: cards\ntitle: Cards\ncommerce: {entity: C}\ndataverse: {entity: d}\n"
    'fields: [{commerce: Id, sync: "=", dataverse: id, key: true}]\n'
)
APPEND = parse_document(
    "map: entries\nmode: append\ncommerce: {entity: C}\ndataverse: {entity: d}\n"
    'fields: [{commerce: Id, sync: ">", dataverse: id, key: true}]\n'
)


class Organization:
    """Remembers what it is told, or refuses."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, Mapping[str, Mapping[str, Value]]]] = []
        self.error: Exception | None = None

    def upsert(self, entity: str, rows: Mapping[str, Mapping[str, Value]]) -> None:
        if self.error is not None:
            raise self.error
        self.requests.append((entity, rows))


def project(
    *,
    read: Mapping[Side, float],
    row: MapRow | None = None,
    aside: Mapping[State, int] | None = None,
    enabled: bool = True,
    organization: Organization | None = None,
    table: str = "dwrite_syncstatuses",
    off: Sequence[MapDocument] = (),
    run: RunRow | None = None,
) -> Project:
    """Just enough of one: a state in which the feeds were read so many seconds ago."""
    positions = {
        (side, "feed"): Position(side, "feed", "x", at=NOW - ago) for side, ago in read.items()
    }
    counted = {State.PARKED: 0, State.CONFLICT: 0, State.WAITING: 0, **(aside or {})}
    made: Any = SimpleNamespace(
        settings=SimpleNamespace(freshness=SimpleNamespace(enabled=enabled, table=table)),
        store=SimpleNamespace(
            map_row=lambda _map: row,
            set_aside=lambda _map: counted,
            positions=lambda _map: positions,
            runs=lambda _map, _limit: [] if run is None else [run],
        ),
        off={one.map: one for one in off},
        ports=lambda _document: SimpleNamespace(clock=lambda: NOW, monotonic=lambda: 0.0),
        dataverse=organization or Organization(),
    )
    return cast("Project", made)


LOADED = MapRow("cards", "f", "1", loaded_at=NOW - 5000)
BOTH = {Side.COMMERCE: 10.2, Side.DATAVERSE: 4.0}


def state_of(made: Project, document: MapDocument = SYNC) -> object:
    return row_of(made, document)["dwrite_state"]


def test_a_map_that_was_read_just_now() -> None:
    told = row_of(project(read=BOTH, row=LOADED, aside={State.PARKED: 2, State.CONFLICT: 1}), SYNC)
    assert told == {
        "dwrite_map": "cards",
        "dwrite_title": "Cards",
        "dwrite_state": "up to date",
        "dwrite_lastsuccess": datetime(2026, 3, 1, 11, 59, 49, tzinfo=UTC),
        "dwrite_lag": 11,
        "dwrite_failures": 2,
        "dwrite_conflicts": 1,
        "dwrite_checkedat": datetime(2026, 3, 1, 12, tzinfo=UTC),
    }


def test_a_prefix_of_ones_own() -> None:
    made = project(read=BOTH, row=LOADED, table="contoso_syncstatuses")
    assert row_of(made, SYNC)["contoso_map"] == "cards"


def test_what_is_said_of_maps_that_are_not_up_to_date() -> None:
    late = {Side.COMMERCE: 10.0, Side.DATAVERSE: 301.0}
    paused = Problem("map-paused", "anna paused it: stocktaking", "resume it")
    stopped = Problem("scan-empty", "nothing there " * 30, "look")
    assert state_of(project(read=late, row=LOADED)) == "6 minutes behind"
    assert state_of(project(read={})) == "not loaded yet"
    assert state_of(project(read=BOTH, row=MapRow("cards", "f", "1"))) == "not loaded yet"
    held = MapRow("cards", "f", "1", loaded_at=1.0, stopped=paused)
    assert state_of(project(read=BOTH, row=held)) == "paused: anna paused it: stocktaking"
    held = MapRow("cards", "f", "1", stopped=Problem("map-paused", "paused by anna", "resume it"))
    assert state_of(project(read=BOTH, row=held)) == "paused by anna"
    halted = MapRow("cards", "f", "1", loaded_at=1.0, stopped=stopped)
    assert len(str(state_of(project(read=BOTH, row=halted)))) == 200


def test_a_map_that_cannot_begin_is_not_told_to_be_fresh() -> None:
    error = MapError("column-unknown", "there is no column `x`", remedy="look")
    run = RunRow(
        number=1,
        command="sync",
        map="cards",
        fingerprint="f",
        started=NOW - 60,
        ended=NOW - 59,
        outcome=error.code,
        counts={},
        error=error.as_dict(),
    )
    made = project(read=BOTH, row=LOADED, run=run)
    assert state_of(made) == "failing: there is no column `x`"
    well = replace(run, outcome="done", error=None)
    assert state_of(project(read=BOTH, row=LOADED, run=well)) == "up to date"


def test_a_map_that_was_switched_off_says_so() -> None:
    off = SYNC.model_copy(update={"enabled": False})
    organization = Organization()
    made = project(read=BOTH, row=LOADED, organization=organization, off=[off])
    assert Freshness(made).tell([APPEND])
    ((_, rows),) = organization.requests
    assert rows[id_of("cards")]["dwrite_state"] == "off"
    never = project(read=BOTH, organization=organization, off=[off])
    assert Freshness(never).tell([APPEND])
    assert list(organization.requests[1][1]) == [id_of("entries")]


def test_of_an_append_map_its_source_counts_alone() -> None:
    made = project(read={Side.COMMERCE: 3.0, Side.DATAVERSE: 90_000.0}, row=LOADED)
    assert state_of(made, APPEND) == "up to date"
    assert state_of(made) == "1500 minutes behind"


def test_all_maps_are_told_in_one_request() -> None:
    organization = Organization()
    made = project(read=BOTH, row=LOADED, organization=organization)
    assert Freshness(made).tell([SYNC, APPEND])
    ((table, rows),) = organization.requests
    assert table == "dwrite_syncstatuses"
    assert list(rows) == [id_of("cards"), id_of("entries")]


def test_nothing_is_told_where_nobody_wants_it() -> None:
    organization = Organization()
    made = project(read=BOTH, row=LOADED, organization=organization, enabled=False)
    assert Freshness(made).tell([SYNC])
    Freshness(made).keep_telling([SYNC], 0.0)
    assert Freshness(project(read=BOTH, organization=organization)).tell([])
    assert organization.requests == []


@pytest.mark.parametrize(
    "error",
    [
        UnreachableError("unreachable", "no answer", remedy="wait"),
        MapError("entity-unknown", "no such table", remedy="`dualwrite provision`"),
    ],
    ids=lambda error: error.code,
)
def test_what_goes_wrong_is_a_warning_told_seldom(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    organization = Organization()
    organization.error = error
    freshness = Freshness(project(read=BOTH, row=LOADED, organization=organization))
    with caplog.at_level(logging.WARNING, "connector.freshness"):
        assert not freshness.tell([SYNC])
        assert not freshness.tell([SYNC])
    (told,) = caplog.records
    assert "remedy" in told.getMessage()


def test_live_mode_tells_once_a_minute_and_seldom_where_it_fails() -> None:
    organization = Organization()
    freshness = Freshness(project(read=BOTH, row=LOADED, organization=organization))
    for now in (0.0, 1.0, EVERY - 1, EVERY):
        freshness.keep_telling([SYNC], now)
    assert len(organization.requests) == 2
    organization.error = UnreachableError("unreachable", "no answer", remedy="wait")
    freshness.keep_telling([SYNC], 2 * EVERY)
    organization.error = None
    freshness.keep_telling([SYNC], 3 * EVERY)
    assert len(organization.requests) == 2
    freshness.keep_telling([SYNC], 2 * EVERY + TROUBLED)
    assert len(organization.requests) == 3
