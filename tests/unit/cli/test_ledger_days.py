"""`dualwrite ledger expire` as a person uses it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
import sqlalchemy as sa

from connector.ledger.ledger import Ledger
from tests.unit.cli.conftest import Terminal

NOON = datetime(2028, 2, 29, 12, tzinfo=UTC)
TODAY = NOON.date()


@pytest.fixture(autouse=True)
def points(run: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Ledger, "open", partial(Ledger.open, clock=lambda: NOON))
    kind = ("RewardPointType=Quantity", "Redeemable=Yes", "ExpirationTimeValue=3", "--create")
    assert run("set", "bonus", *kind, "--entity", "reward-points")[0] == 0
    assert run("set", "100001", "CardTenderType=AsCardTender", "--create")[0] == 0
    assert run("adjust", "100001", "bonus", "50")[0] == 0


def past_the_program(*statements: str) -> None:
    engine = sa.create_engine("sqlite:///ledger.db")
    with engine.begin() as connection:
        for one in statements:
            connection.exec_driver_sql(one)
    engine.dispose()


def yesterday() -> str:
    """Let all have happened yesterday, the last day of the points; that day."""
    past = (TODAY - timedelta(1)).isoformat()
    past_the_program(
        f"UPDATE point_entries SET starts = '{past}', expires = '{past}'",
        f"UPDATE point_balances SET day = '{past}'",
        f"UPDATE shown_days SET turned = '{past}', turning = '{past}'",
    )
    return past


def test_a_plan_tells_what_will_expire_and_changes_nothing(run: Terminal) -> None:
    day = TODAY + timedelta(4)
    code, shown = run.json("expire", "--plan", "--on", day.isoformat())
    assert code == 0
    assert shown == {
        "since": TODAY.isoformat(),
        "on": day.isoformat(),
        "planned": True,
        "expired": [{"kind": "bonus", "points": "50", "lots": 1, "cards": 1}],
        "balances": None,
        "tiers": None,
        "marks": None,
        "lapsed": None,
        "proven": None,
        "differences": [],
    }
    code, shown = run.json("expire", "--prove")
    assert (code, shown["proven"], shown["expired"], shown["balances"]) == (0, True, [], 0)


def test_the_turn_tells_what_expired_and_shows_it(run: Terminal) -> None:
    past = yesterday()
    code, out, err = run("expire", "--prove")
    assert code == 0
    assert "bonus" in out
    assert "1 balances, 0 tiers, 0 marks of segments; 0 payments lapsed" in err
    assert "Proven" in err
    _, shown = run.json("list", "--entity", "point-balances")
    values = shown["records"][0]["values"]
    assert (values["BalanceId"], values["Expired"]) == ("100001/bonus", "50")
    assert run.json("expire")[1]["expired"] == []
    told = run.json("expire", "--since", past)[1]["expired"]
    assert told == [{"kind": "bonus", "points": "50", "lots": 1, "cards": 1}]


def test_listing_turns_the_day_itself(run: Terminal) -> None:
    yesterday()
    _, shown = run.json("show", "100001/bonus", "--entity", "point-balances")
    assert shown["values"]["Expired"] == "50"


def test_a_balance_that_is_shown_wrongly_needs_a_person(run: Terminal) -> None:
    past_the_program("UPDATE point_balances SET available = 70000")
    code, shown = run.json("expire", "--prove")
    assert code == 3
    assert shown["differences"] == [
        {"card": "100001", "kind": "bonus", "field": "Available", "shown": "7", "right": "50"}
    ]
    assert "otherwise" in run("expire", "--prove")[1]


def test_a_day_that_is_yet_to_come_is_not_turned_to(run: Terminal) -> None:
    code, _, err = run("expire", "--on", (TODAY + timedelta(1)).isoformat())
    assert (code, "day-ahead" in err, "--plan" in err) == (2, True, True)
    assert run("expire", "--on", "tomorrow")[0] == 2


def test_nobody_writes_what_is_shown(run: Terminal) -> None:
    code, _, err = run("set", "100001/bonus", "Available=7", "--entity", "point-balances")
    assert (code, "entity-read-only" in err) == (3, True)
