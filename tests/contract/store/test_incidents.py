"""Errors counted by the minute, and when alerts were raised."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connector.store.work import Work

if TYPE_CHECKING:
    from tests.contract.store.conftest import Kit


def test_errors_add_up_within_their_minute_and_are_counted_since_a_time(kit: Kit) -> None:
    kit.commit(at=59.0, incidents={"throttled": 2})
    kit.commit(at=60.0, incidents={"throttled": 3, "rejected": 1})
    kit.commit(at=119.0, incidents={"throttled": 4})
    kit.commit(at=180.0, incidents={"throttled": 5})
    counted = [kit.store.incidents(kit.map, "throttled", t) for t in (0.0, 61.0, 120.0, 240.0)]
    assert counted == [14, 12, 5, 0]
    assert kit.store.incidents(kit.map, "rejected", 0.0) == 1
    assert kit.store.incidents(kit.map, "never", 0.0) == 0
    assert kit.store.incidents("other-map", "throttled", 0.0) == 0


def test_an_alert_is_remembered_as_last_raised(kit: Kit) -> None:
    assert kit.store.alerted(kit.map, "throttled") is None
    kit.commit(alerted={"throttled": 10.5, "rejected": 11.0})
    kit.commit(alerted={"throttled": 20.5})
    told = kit.another()
    assert told.alerted(kit.map, "throttled") == 20.5
    assert told.alerted(kit.map, "rejected") == 11.0
    assert told.alerted("other-map", "throttled") is None


def test_work_with_nothing_but_an_incident_or_an_alert_is_work() -> None:
    assert Work(1, 1.0, incidents={"throttled": 1})
    assert Work(1, 1.0, alerted={"throttled": 1.0})
    assert not Work(1, 1.0)
