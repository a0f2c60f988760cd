"""A map that is held while a run comes for its lease."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from connector.errors import MapStoppedError, Problem
from connector.mapping.values import Side
from connector.store.work import MapRow, Work

if TYPE_CHECKING:
    from tests.integration.engine.conftest import Bench


def test_a_map_paused_just_before_a_run_takes_the_lease_is_not_worked(
    loaded: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    store: Any = loaded.open()
    take = store.acquire

    def pause_first(map: str, *more: Any) -> Any:
        lease = take(map, "somebody", 60.0)
        held = MapRow(map, "f", "1", 1.0, Problem("map-paused", "paused", "resume"))
        run = store.start_run("pause", map, "f", 1.0)
        store.commit(lease, Work(run, 1.0, map=held))
        store.release(lease)
        return take(map, *more)

    monkeypatch.setattr(store, "acquire", pause_first)
    loaded.edit(Side.COMMERCE, "C1", Name="edited")
    before = loaded.writes()
    with pytest.raises(MapStoppedError):
        loaded.sync()
    assert loaded.writes() == before
    monkeypatch.undo()
    assert store.acquire("card", "next", 1.0).holder == "next", "the lease was given back"
