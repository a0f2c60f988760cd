"""Too much goes wrong: who is told, which map is held, and how far a run gets before that."""

from __future__ import annotations

import pytest

from connector.endpoints.base import Throttling
from connector.engine.runs.alerts import Notice, Rule, Then
from connector.errors import MapStoppedError, UnreachableError
from connector.mapping.values import Side
from tests.integration.engine.conftest import Bench

COMMERCE, DATAVERSE = Side.COMMERCE, Side.DATAVERSE
HOUR = 60


@pytest.fixture
def told(loaded: Bench) -> list[Notice]:
    notices: list[Notice] = []
    loaded.notify = notices.append
    return notices


def refuse_everything(bench: Bench) -> None:
    bench.dataverse.fault = lambda _operation: "rejected"


def heal(bench: Bench) -> None:
    bench.dataverse.fault = lambda _operation: None


def edit_all(bench: Bench, count: int, value: str) -> None:
    for n in range(1, count + 1):
        bench.edit(COMMERCE, f"C{n}", Name=value)


def parked(bench: Bench) -> int:
    return sum(r.problem is not None for records in bench.records().values() for r in records)


def test_a_map_is_held_at_a_batch_boundary_and_not_after_the_last_bad_row(
    loaded: Bench, told: list[Notice]
) -> None:
    for n in range(100):
        loaded.new(COMMERCE, f"N{n}")
    loaded.alerts = (Rule("rejected", 5, HOUR, Then.PAUSE),)
    refuse_everything(loaded)
    with pytest.raises(MapStoppedError) as caught:
        loaded.sync()
    assert caught.value.code == "alert-paused"
    assert "maps resume card" in caught.value.remedy
    refused = parked(loaded)
    assert 5 <= refused <= 5 + loaded.limits.page * (1 + loaded.limits.in_flight)
    (notice,) = told
    assert (notice.event, notice.code, notice.map) == ("alert", "alert-paused", "card")
    with pytest.raises(MapStoppedError):
        loaded.sync()
    assert len(told) == 1

    heal(loaded)
    loaded.resume(0)
    assert loaded.sync().finished
    assert len(loaded.dataverse.by_key("cards")) == 8 + 100 - refused


def test_incidents_are_counted_over_runs_and_forgotten_with_time(
    loaded: Bench, told: list[Notice]
) -> None:
    loaded.alerts = (Rule("dataverse-refused", 3, HOUR, Then.NOTIFY),)
    refuse_everything(loaded)
    for n in (1, 2):
        edit_all(loaded, 1, f"v{n}")
        loaded.sync()
    assert told == []
    loaded.ahead += 3700
    edit_all(loaded, 2, "later")
    loaded.sync()
    assert told == []
    edit_all(loaded, 1, "once more")
    loaded.reopen()
    assert loaded.sync().finished  # a notice holds nothing
    assert [notice.code for notice in told] == ["alert"]
    assert told[0].alert is not None
    assert told[0].alert.seen == 3


def test_a_rule_is_raised_once_per_window(loaded: Bench, told: list[Notice]) -> None:
    loaded.alerts = (Rule("rejected", 1, 10, Then.NOTIFY),)
    refuse_everything(loaded)
    for n in range(5):
        edit_all(loaded, 1, f"v{n}")
        loaded.sync()
        loaded.ahead += 240
    assert len(told) == 2


def test_a_rule_for_another_map_is_none_of_this_one(loaded: Bench, told: list[Notice]) -> None:
    loaded.alerts = (Rule("rejected", 1, HOUR, Then.STOP, map="another"),)
    refuse_everything(loaded)
    edit_all(loaded, 3, "v")
    assert loaded.sync().finished
    assert told == []


def test_stop_has_a_code_of_its_own(loaded: Bench, told: list[Notice]) -> None:
    loaded.alerts = (
        Rule("rejected", 1, HOUR, Then.PAUSE),
        Rule("parked", 1, HOUR, Then.STOP),
    )
    refuse_everything(loaded)
    edit_all(loaded, 1, "v")
    with pytest.raises(MapStoppedError) as caught:
        loaded.sync()
    assert caught.value.code == "alert-stopped"
    assert {notice.code for notice in told} == {"alert-paused", "alert-stopped"}


@pytest.mark.parametrize(
    ("kind", "fault"),
    [("transient", "transient"), ("unknown", "lost-before"), ("rejected", "rejected")],
)
def test_each_outcome_is_its_own_kind(
    loaded: Bench, told: list[Notice], kind: str, fault: str
) -> None:
    loaded.alerts = tuple(
        Rule(one, 3, HOUR, Then.NOTIFY) for one in ("transient", "unknown", "rejected")
    )
    failing = {"C1", "C2", "C3"}

    def once(operation: object) -> object:
        if failing:
            failing.pop()
            return fault
        return None

    loaded.dataverse.fault = once  # type: ignore[assignment]
    edit_all(loaded, 3, "v")
    loaded.sync()
    assert [notice.alert.rule.kind for notice in told if notice.alert] == [kind]


def test_conflicts_are_counted_by_the_conflict(loaded: Bench, told: list[Notice]) -> None:
    loaded.alerts = (Rule("conflict", 2, HOUR, Then.NOTIFY),)
    for n in (1, 2):
        loaded.edit(COMMERCE, f"C{n}", Name="one")
        loaded.edit(DATAVERSE, f"C{n}", name="other")
    loaded.sync()
    assert len(told) == 1
    assert loaded.counts["conflicts"] == 2


def test_rows_set_aside_while_they_are_read_count_as_parked(
    loaded: Bench, told: list[Notice]
) -> None:
    loaded.alerts = (Rule("key-changed", 1, HOUR, Then.NOTIFY),)
    loaded.edit(DATAVERSE, "C1", number="RENAMED")
    loaded.sync()
    assert len(told) == 1
    assert loaded.counts["parked"] == 1


def test_a_map_is_held_while_it_is_read(loaded: Bench, told: list[Notice]) -> None:
    loaded.alerts = (Rule("key-missing", 4, HOUR, Then.PAUSE),)
    for n in range(100):
        loaded.commerce.put("Cards", f"keyless-{n}", Number=None, Name="x", Active="Yes")
    with pytest.raises(MapStoppedError) as caught:
        loaded.sync()
    assert caught.value.code == "alert-paused"
    assert 4 <= parked(loaded) <= 4 + loaded.limits.page
    assert len(told) == 1


def test_throttling_is_counted_in_the_run_and_by_alerts(loaded: Bench, told: list[Notice]) -> None:
    loaded.alerts = (Rule("throttled", 4, HOUR, Then.NOTIFY),)
    loaded.dataverse.throttled = Throttling(3, 7.0)  # from before this run
    edit_all(loaded, 2, "v")

    def throttle() -> None:
        before = loaded.dataverse.throttled
        loaded.dataverse.throttled = Throttling(before.times + 4, before.seconds + 2.5)

    loaded.dataverse.before_write = throttle
    loaded.sync()
    assert loaded.counts["throttled dataverse"] == 4
    assert loaded.counts["waited dataverse"] == 3
    assert "throttled commerce" not in loaded.counts
    assert len(told) == 1


def test_a_side_that_goes_away_is_counted(loaded: Bench, told: list[Notice]) -> None:
    loaded.alerts = (Rule("unreachable", 2, HOUR, Then.NOTIFY),)
    for expected in (0, 1):
        loaded.dataverse.down = True
        with pytest.raises(UnreachableError):
            loaded.sync()
        loaded.dataverse.down = False
        assert len(told) == expected


def test_whoever_is_named_hears_of_the_delete_guard_too(loaded: Bench, told: list[Notice]) -> None:
    for n in range(1, 6):
        loaded.delete(COMMERCE, f"C{n}")
    with pytest.raises(MapStoppedError):
        loaded.sync()
    (notice,) = told
    assert (notice.event, notice.code, notice.alert) == ("stopped", "delete-guard", None)


def test_a_map_that_is_held_already_is_told_no_more(loaded: Bench, told: list[Notice]) -> None:
    loaded.dataverse.hidden = lambda _id: True
    loaded.dataverse.forget_feed()
    for _ in range(2):
        with pytest.raises(MapStoppedError) as caught:
            loaded.sync()
        assert caught.value.code == "scan-empty"
    assert [notice.code for notice in told] == ["scan-empty"]
