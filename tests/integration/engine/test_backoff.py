"""A record that failed is due again when its time has come, whoever asks, and however often."""

from __future__ import annotations

from connector.engine.retry import Retry
from connector.mapping.values import Side
from connector.store.record import State
from tests.integration.engine.conftest import Bench


def test_a_restart_forgets_neither_the_time_nor_the_attempts(loaded: Bench) -> None:
    loaded.retry = Retry(attempts=3, first=100.0, longest=1000.0)
    loaded.dataverse.fault = lambda _operation: "transient"

    def attempts() -> int:
        return sum(row.kind == "update" for row in loaded.history("C1"))

    loaded.edit(Side.COMMERCE, "C1", Name="new")
    waits = (75.0, 150.0)  # three quarters of each: the bench's chance is a half
    for tried, wait in enumerate(waits, 1):
        assert not loaded.sync().finished
        assert attempts() == tried
        loaded.reopen()
        record = loaded.record("C1")
        assert (record.state, record.attempts) == (State.PENDING, tried)
        loaded.ahead += wait - 20
        loaded.sync()
        loaded.reopen()
        assert attempts() == tried, "tried before its time"
        loaded.ahead += 20
    loaded.sync()
    record = loaded.record("C1")
    assert record.problem is not None
    assert record.problem.code == "attempts-exhausted"
    assert record.state is State.PARKED
    assert attempts() == 3
