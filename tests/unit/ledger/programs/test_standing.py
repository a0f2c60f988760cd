"""The rows of card tiers follow from the journal."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from connector.ledger.desk import Desk
from connector.ledger.journal.journal import Journal
from connector.ledger.journal.posting import Adjust, Earn, Line, Posting, TakeBack, Transfer
from connector.ledger.ledger import Ledger
from connector.ledger.members.tables import card_programs, households
from connector.ledger.operations import Upsert
from connector.ledger.programs import standing, store
from connector.ledger.programs.document import ProgramDocument
from connector.ledger.programs.reading import parsed
from connector.ledger.programs.standing import Reached
from connector.ledger.programs.yaml_text import read_yaml
from tests.unit.ledger.conftest import START, Clock

CLUB = """program: club
title: Club
tiers:
  - {tier: silver, level: 1, points: 500, kind: BONUS, within: 12 months}
  - {tier: gold, level: 2, points: 1000, kind: bonus, within: 12 months}
earn:
  - {rule: base, by: amount, currency: EUR, points: 1, kind: bonus}
"""
POOLED = CLUB.replace("title: Club", "pooled: true")
JOINED = CLUB.replace("title: Club", "members: joined")
TODAY = START.date()
CARDS = {"1001": "P1", "1002": "P1", "1003": "P2", "1004": None, "1005": None}


@pytest.fixture(autouse=True)
def nothing_settles_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """Commits restate the cards they touched; here that is done by hand, to see what it does."""
    monkeypatch.setattr("connector.ledger.shown.settling.settle", lambda _: None)


@pytest.fixture(autouse=True)
def cards_and_kinds(ledger: Ledger) -> None:
    points = ledger.store("reward-points")
    for kind in ("bonus", "other"):
        points.create({"RewardPointId": kind, "RewardPointType": "Quantity"}, by="test")
    cards = [Upsert({"CardNumber": card, "PartyNumber": of}) for card, of in CARDS.items()]
    ledger.store("cards").apply(cards, by="test", create_references=True)


def runs(ledger: Ledger, text: str) -> None:
    with ledger.writing("test") as transaction:
        store.keep(transaction, parsed(ProgramDocument, read_yaml(text, "a.yaml")), text)


def posts(ledger: Ledger, *lines: Line, days_ago: int = 0) -> list[int]:
    at = ledger.now() - timedelta(days_ago)
    key = f"{lines}{days_ago}{at}"[:200]
    posted = Journal(ledger).post(Posting(key, lines, at=at), by="test")
    return [one.number for one in posted.entries]


def earn(card: str, points: int, kind: str = "bonus") -> Earn:
    return Earn(card, kind, Decimal(points))


def id_of(ledger: Ledger, card: str) -> str:
    record = ledger.store("cards").find(card)
    assert record is not None
    return record.id


def restated(ledger: Ledger, *cards: str) -> int:
    wanted: Collection[str] | None = [id_of(ledger, one) for one in cards] or None
    with ledger.writing("test") as transaction:
        return standing.restate(transaction, wanted)


def rows(ledger: Ledger) -> dict[str, dict[str, Any]]:
    shown = ledger.store("card-tiers")
    return {
        str(record.values[0]): dict(zip(shown.entity.names, record.values, strict=True))
        for record in shown.listed(100, None)
    }


def tiers(ledger: Ledger) -> dict[str, object]:
    return {key: row["Tier"] for key, row in rows(ledger).items()}


def test_a_row_tells_where_a_card_stands(ledger: Ledger) -> None:
    runs(ledger, CLUB)
    posts(ledger, earn("1001", 400), days_ago=100)
    posts(ledger, earn("1001", 250), days_ago=10)
    assert restated(ledger, "1001") == 1
    assert rows(ledger) == {
        "1001/club": {
            "CardTierId": "1001/club",
            "CardNumber": "1001",
            "Program": "club",
            "ProgramTitle": "Club",
            "Tier": "silver",
            "Level": 1,
            "ValidFrom": TODAY - timedelta(10),
            "ValidTo": (TODAY - timedelta(100)).replace(year=TODAY.year) - timedelta(1),
            "Points": 650,
            "NextTier": "gold",
            "PointsToNext": 350,
            "NextChange": (TODAY - timedelta(100)).replace(year=TODAY.year),
        }
    }
    assert restated(ledger, "1001") == 0, "nothing changed"


def test_only_what_is_earned_counts(ledger: Ledger) -> None:
    runs(ledger, CLUB)
    posts(ledger, earn("1001", 499), Adjust("1001", "bonus", Decimal(400)))
    posts(ledger, earn("1001", 1000, "other"), Transfer("1001", "1003", "bonus", Decimal(600)))
    restated(ledger)
    assert tiers(ledger) == {"1001/club": None}
    assert rows(ledger)["1001/club"]["PointsToNext"] == 1


def test_what_comes_back_no_longer_counts(ledger: Ledger) -> None:
    runs(ledger, CLUB)
    (entry,) = posts(ledger, earn("1001", 600), days_ago=30)
    posts(ledger, earn("1001", 20), days_ago=2)
    restated(ledger, "1001")
    assert tiers(ledger) == {"1001/club": "silver"}
    # All of it is spent: the return takes what is left, but for the tier all of it counts.
    posts(ledger, Adjust("1001", "bonus", Decimal(-600)))
    posts(ledger, TakeBack(entry, Decimal(200)))
    restated(ledger, "1001")
    assert tiers(ledger) == {"1001/club": None}
    assert rows(ledger)["1001/club"]["Points"] == 420


def test_points_grow_too_old(ledger: Ledger, clock: Clock) -> None:
    runs(ledger, CLUB)
    posts(ledger, earn("1001", 600))
    restated(ledger, "1001")
    until = rows(ledger)["1001/club"]["ValidTo"]
    assert until == TODAY.replace(year=TODAY.year + 1) - timedelta(1)
    clock.now = datetime.combine(until, START.timetz())
    restated(ledger, "1001")
    assert tiers(ledger) == {"1001/club": "silver"}
    clock.forward(86_400)
    restated(ledger, "1001")
    assert tiers(ledger) == {"1001/club": None}


def test_since_is_kept_while_the_tier_is(ledger: Ledger, clock: Clock) -> None:
    runs(ledger, CLUB)
    posts(ledger, earn("1001", 600))
    restated(ledger, "1001")
    clock.forward(300 * 86_400)
    posts(ledger, earn("1001", 600))
    restated(ledger, "1001")
    assert rows(ledger)["1001/club"]["ValidFrom"] == TODAY + timedelta(300), "gold since then"
    clock.forward(100 * 86_400)
    restated(ledger, "1001")
    row = rows(ledger)["1001/club"]
    assert (row["Tier"], row["ValidFrom"]) == ("silver", TODAY + timedelta(300))
    posts(ledger, earn("1001", 100))
    restated(ledger, "1001")
    assert rows(ledger)["1001/club"]["ValidFrom"] == TODAY + timedelta(300)


def test_since_is_the_day_it_was_reached_though_its_points_are_too_old(
    ledger: Ledger, clock: Clock
) -> None:
    runs(ledger, CLUB.replace("1000", "2000"))
    posts(ledger, earn("1001", 500))
    restated(ledger, "1001")
    clock.forward(200 * 86_400)
    posts(ledger, earn("1001", 600))
    clock.forward(200 * 86_400)
    restated(ledger, "1001")
    row = rows(ledger)["1001/club"]
    assert (row["Tier"], row["Points"], row["ValidFrom"]) == ("silver", 600, TODAY)


def test_each_card_counts_by_itself_unless_pooled(ledger: Ledger) -> None:
    runs(ledger, CLUB)
    posts(ledger, earn("1001", 300), earn("1002", 300), earn("1003", 300))
    restated(ledger)
    assert tiers(ledger) == dict.fromkeys(["1001/club", "1002/club", "1003/club"])
    runs(ledger, POOLED)
    restated(ledger, "1001")
    assert tiers(ledger) == {"1001/club": "silver", "1002/club": "silver", "1003/club": None}


def test_a_pool_shows_on_cards_without_points(ledger: Ledger) -> None:
    runs(ledger, POOLED)
    posts(ledger, earn("1001", 600), earn("1004", 600))
    assert restated(ledger, "1001", "1004") == 3
    assert tiers(ledger) == dict.fromkeys(["1001/club", "1002/club", "1004/club"], "silver")


def test_a_household_is_one_pool(ledger: Ledger) -> None:
    runs(ledger, POOLED)
    posts(ledger, earn("1001", 300), earn("1003", 300))
    with ledger.writing("test") as transaction:
        one = {
            "name": "miller",
            "title": "Miller",
            "since": START.replace(tzinfo=None),
            "by": "test",
        }
        people = [{**one, "party": "P1"}, {**one, "party": "P2"}]
        transaction.connection.execute(sa.insert(households), people)
    assert restated(ledger, "1003") == 3
    assert set(tiers(ledger).values()) == {"silver"}


def test_a_card_that_was_replaced_counts_for_the_new_one(ledger: Ledger, clock: Clock) -> None:
    runs(ledger, CLUB)
    entry, _ = posts(ledger, earn("1004", 300), earn("1004", 250))
    Desk(ledger).replace("1004", "2004", by="test")
    Desk(ledger).replace("2004", "3004", by="test")
    clock.forward(60)
    posts(ledger, earn("3004", 500))
    restated(ledger, "3004")
    assert tiers(ledger)["3004/club"] == "gold"
    posts(ledger, TakeBack(entry, Decimal(300)))
    restated(ledger, "3004")
    assert tiers(ledger)["3004/club"] == "silver"


def test_those_who_joined(ledger: Ledger) -> None:
    runs(ledger, JOINED)
    posts(ledger, earn("1001", 600), earn("1003", 600))
    joins = {"program": "club", "since": START.replace(tzinfo=None), "by": "test"}
    with ledger.writing("test") as transaction:
        members = [{**joins, "card": id_of(ledger, card)} for card in ("1003", "1005")]
        transaction.connection.execute(sa.insert(card_programs), members)
    restated(ledger)
    assert tiers(ledger) == {"1003/club": "silver", "1005/club": None}
    with ledger.writing("test") as transaction:
        transaction.connection.execute(sa.delete(card_programs))
    restated(ledger, "1003", "1005")
    assert tiers(ledger) == {}


def test_a_program_that_is_off_shows_no_tiers(ledger: Ledger) -> None:
    runs(ledger, CLUB)
    posts(ledger, earn("1001", 600))
    restated(ledger)
    with ledger.writing("test") as transaction:
        store.switch(transaction, "club", active=False)
    assert restated(ledger) == 1
    assert tiers(ledger) == {}


def test_whoever_rises_is_told(ledger: Ledger) -> None:
    runs(ledger, CLUB)
    told: list[Reached] = []
    card = id_of(ledger, "1001")

    def restate() -> None:
        with ledger.writing("test") as transaction:
            standing.restate(transaction, [card], told.extend)

    posts(ledger, earn("1001", 499))
    restate()
    assert told == []
    (entry,) = posts(ledger, earn("1001", 1))
    restate()
    restate()
    assert told == [Reached(card, "1001", "club", "silver")]
    posts(ledger, earn("1001", 500))
    restate()
    assert told[1:] == [Reached(card, "1001", "club", "gold")]
    posts(ledger, TakeBack(entry, Decimal(1)))
    restate()
    assert len(told) == 2, "nobody is told of going down"


def test_days_are_those_of_the_ledger(ledger: Ledger) -> None:
    runs(ledger, CLUB)
    late = datetime(2025, 12, 31, 23, 30, tzinfo=UTC)
    posting = Posting("late", (earn("1001", 600),), at=late)
    Journal(ledger).post(posting, by="test")
    restated(ledger)
    assert rows(ledger)["1001/club"]["ValidFrom"] == date(2025, 12, 31)
    with Ledger.open(ledger.title, clock=ledger.now, zone=ZoneInfo("Europe/Berlin")) as berlin:
        posts(berlin, earn("1003", 600), days_ago=0)
        Journal(berlin).post(Posting("late too", (earn("1004", 600),), at=late), by="test")
        restated(berlin)
        assert rows(berlin)["1004/club"]["ValidFrom"] == date(2026, 1, 1)


def test_all_cards_in_batches(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(standing, "_AT_ONCE", 2)
    runs(ledger, POOLED)
    posts(ledger, *(earn(card, 600) for card in CARDS))
    assert restated(ledger) == len(CARDS)
    assert set(tiers(ledger)) == {f"{card}/club" for card in CARDS}
    assert restated(ledger) == 0


def test_an_adjustment_counts_where_its_author_says_so(ledger: Ledger) -> None:
    runs(ledger, CLUB)

    def counts() -> tuple[object, object]:
        restated(ledger, "1001")
        row = rows(ledger)["1001/club"]
        return row["Tier"], row["Points"]

    posts(ledger, earn("1001", 400), Adjust("1001", "bonus", Decimal(300)))
    assert counts() == (None, 400)
    posts(ledger, Adjust("1001", "bonus", Decimal(150), for_tiers=True))
    assert counts() == ("silver", 550)
    posts(ledger, Adjust("1001", "bonus", Decimal(-60), for_tiers=True))
    assert counts() == (None, 490)
