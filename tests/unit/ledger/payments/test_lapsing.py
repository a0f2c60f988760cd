"""Authorisations that nobody captures do not keep points for ever."""

from __future__ import annotations

from datetime import UTC, timedelta
from decimal import Decimal

import pytest

from connector.errors import RecordError
from connector.ledger.payments.lapsing import AT_ONCE, lapse
from connector.ledger.payments.payment import State
from tests.unit.ledger.conftest import Clock
from tests.unit.ledger.payments.conftest import Till


def test_points_come_back_when_time_is_up(till: Till, clock: Clock) -> None:
    till.earn("100001", "bonus", 500)
    paid = till.pay("2", hold=timedelta(hours=1))
    kept = till.pay("1", "O2")
    clock.forward(3599)
    assert lapse(till.ledger, UTC) == 0
    clock.forward(1)
    assert lapse(till.ledger, UTC) == 1
    assert lapse(till.ledger, UTC) == 0
    lapsed = till.payments.show(paid.number)
    assert (lapsed.state, lapsed.amount, till.has("100001")) == (
        State.LAPSED,
        Decimal(0),
        Decimal(400),
    )
    assert till.payments.show(kept.number).state is State.AUTHORISED


def test_whoever_pays_next_finds_them_there(till: Till, clock: Clock) -> None:
    till.earn("100001", "bonus", 500)
    till.pay("5")
    assert till.cannot("5").covered.amount == 0
    clock.forward(7 * 86_400)
    assert till.pay("5", "O2").amount == 5


def test_what_lapsed_is_not_captured(till: Till, clock: Clock) -> None:
    till.earn("100001", "bonus", 500)
    paid = till.pay("5")
    clock.forward(7 * 86_400)
    for act in (till.payments.capture, till.payments.void):
        with pytest.raises(RecordError) as refused:
            act(paid.number, by="test")
        assert refused.value.code == "payment-settled"
        assert "lapsed" in refused.value.message
    assert till.has("100001") == 500


def test_a_captured_payment_does_not_lapse(till: Till, clock: Clock) -> None:
    till.earn("100001", "bonus", 500)
    till.payments.capture(till.pay("5").number, by="test")
    clock.forward(400 * 86_400)
    assert lapse(till.ledger, UTC) == 0


def test_many_lapse_in_bounded_steps(
    till: Till, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connector.ledger.payments.lapsing.AT_ONCE", 2)
    till.earn("100001", "bonus", 500)
    for number in range(5):
        till.pay("1", f"O{number}")
    clock.forward(7 * 86_400)
    assert lapse(till.ledger, UTC, 2) == 2
    assert lapse(till.ledger, UTC) == 3
    assert till.has("100001") == 500
    assert AT_ONCE >= 100


def test_a_clock_that_steps_back_ends_the_run(
    till: Till, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    till.earn("100001", "bonus", 500)
    till.pay("5")
    asked = iter([till.ledger.now() + timedelta(days=8)])
    monkeypatch.setattr(till.ledger, "now", lambda: next(asked))
    assert lapse(till.ledger, UTC) == 0
