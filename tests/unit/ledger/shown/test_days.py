"""The turn of the day: what changes without a posting, in pages, once, whoever asks."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from connector.endpoints.ledger.endpoint import LedgerEndpoint
from connector.ledger.journal.journal import Journal
from connector.ledger.journal.posting import Adjust, Earn, Posting, Redeem
from connector.ledger.ledger import Ledger
from connector.ledger.shown import days
from connector.ledger.shown.days import Expired, Turned, expired, turn_days
from connector.ledger.shown.entities import POINT_BALANCES
from connector.ledger.shown.proof import differences
from connector.ledger.shown.sheet import Sheet
from connector.ledger.shown.standing import Standing, standing
from connector.ledger.shown.tables import shown_days
from tests.unit.ledger.conftest import START, Clock
from tests.unit.ledger.journal.conftest import fill
from tests.unit.ledger.shown.asking import right, shown

DAY = 86_400
TODAY = START.date()


def earn(card: str, kind: str, points: str) -> Earn:
    return Earn(card, kind, Decimal(points))


def at(ledger: Ledger) -> Standing:
    with ledger.reading() as connection:
        return standing(connection)


@pytest.fixture
def earned(journal: Journal) -> Journal:
    """`later` vests after 10 days, `money` expires after a month, `plain` stays."""
    lines = (earn("A", "later", "5"), earn("A", "money", "2.5"), earn("B", "plain", "1"))
    journal.post(Posting("start", lines), by="till")
    return journal


@pytest.mark.parametrize("gap", [1, 9, 10, 11, 29, 30, 31, 32, 33, 400])
def test_after_any_number_of_days_all_is_shown_as_it_is(
    ledger: Ledger, earned: Journal, clock: Clock, gap: int
) -> None:
    clock.forward(gap * DAY)
    turned = turn_days(ledger)
    assert (turned.since, turned.day) == (TODAY, TODAY + timedelta(gap))
    assert shown(ledger) == right(ledger, ledger.today())
    assert list(differences(ledger)) == []


def test_each_change_shows_on_its_day(ledger: Ledger, earned: Journal, clock: Clock) -> None:
    changed: dict[int, tuple[Decimal, Decimal, Decimal, Decimal]] = {}
    for number in range(1, 40):
        clock.forward(DAY)
        if turn_days(ledger).balances:
            later, money = (shown(ledger)[f"A/{kind}"] for kind in ("later", "money"))
            changed[number] = (
                later["Unvested"],
                later["Available"],
                money["Expiring"],
                money["Expired"],
            )
    five, points, none = Decimal(5), Decimal("2.5"), Decimal(0)
    # 2 January and a month: the last day is 2 February, 31 days on.
    assert changed == {
        1: (five, none, points, none),
        10: (none, five, points, none),
        32: (none, five, none, points),
    }


def test_only_what_changed_has_a_new_version(ledger: Ledger, earned: Journal, clock: Clock) -> None:
    store, since = ledger.store("point-balances"), ledger.head()
    clock.forward(10 * DAY)
    assert turn_days(ledger) == Turned(TODAY, TODAY + timedelta(10), balances=2, tiers=0, marks=0)
    page = store.changes(since, ledger.head(), 100)
    assert {one.values[0] for one in page.records} == {"A/later", "A/money"}
    assert {one.modified_by for one in page.records} == {days.BY}
    head = ledger.head()
    assert turn_days(ledger) == Turned(ledger.today(), ledger.today(), balances=0, tiers=0, marks=0)
    assert ledger.head() == head


def test_days_do_not_turn_back(ledger: Ledger, earned: Journal, clock: Clock) -> None:
    clock.forward(20 * DAY)
    turn_days(ledger)
    before = shown(ledger)
    clock.now = START
    assert turn_days(ledger).balances == 0
    assert shown(ledger) == before
    assert at(ledger) == Standing(TODAY + timedelta(20), TODAY + timedelta(20))


def test_what_is_posted_before_the_day_is_turned_shows_on_the_old_one(
    ledger: Ledger, earned: Journal, clock: Clock
) -> None:
    clock.forward(10 * DAY)
    earned.post(Posting("k", (Redeem("A", "later", Decimal(2)), earn("A", "later", "1"))), by="t")
    assert shown(ledger) == right(ledger, TODAY)
    turn_days(ledger)
    assert shown(ledger) == right(ledger, ledger.today())


def many(journal: Journal) -> None:
    """Lots on every card, so that a turn has several pages."""
    for number, card in enumerate(("A", "B", "POOL", "SAME", "EARNS")):
        start = START - timedelta(number)
        lines = tuple(earn(card, kind, "1") for kind in ("money", "later", "plain") * 2)
        journal.post(Posting(card, lines, start), by="till")


def test_pages_of_any_size_come_to_the_same(
    ledger: Ledger, journal: Journal, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    many(journal)
    monkeypatch.setattr(days, "PAGE", 2)
    for gap in (8, 3, 25, 2):
        clock.forward(gap * DAY)
        turn_days(ledger)
        assert shown(ledger) == right(ledger, ledger.today())


class Cut(Exception):
    """The process ends here."""


@pytest.mark.parametrize("pages", range(1, 12))
def test_a_turn_that_was_cut_off_is_finished_by_the_next(
    ledger: Ledger,
    journal: Journal,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
    pages: int,
) -> None:
    """Whatever is posted in between, and though another day has begun by then."""
    many(journal)
    monkeypatch.setattr(days, "PAGE", 2)
    done, work_out = 0, Sheet.work_out

    def cut(self: Sheet, accounts: dict[tuple[str, str], None]) -> int:
        nonlocal done
        done += 1
        if done == pages:
            raise Cut
        return work_out(self, accounts)

    clock.forward(33 * DAY)
    with monkeypatch.context() as patch:
        patch.setattr(Sheet, "work_out", cut)
        with pytest.raises(Cut):
            turn_days(ledger)
    assert at(ledger) == Standing(TODAY, TODAY + timedelta(33))
    lines = (Redeem("A", "later", Decimal(2)), earn("B", "later", "3"), earn("SHUT2", "plain", "1"))
    ledger.store("cards").create({"CardNumber": "SHUT2"}, by="test")
    journal.post(Posting("between", lines), by="till")
    clock.forward(12 * DAY)
    assert turn_days(ledger).since == TODAY
    assert at(ledger) == Standing(ledger.today(), ledger.today())
    assert shown(ledger) == right(ledger, ledger.today())
    assert list(differences(ledger)) == []


def test_a_turn_that_somebody_else_ended_does_no_harm(
    ledger: Ledger, journal: Journal, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    many(journal)
    monkeypatch.setattr(days, "PAGE", 2)
    begun, pages = False, days._pages
    clock.forward(33 * DAY)

    def meanwhile(turn: days._Turn) -> object:
        nonlocal begun
        if not begun:
            begun = True
            turn_days(ledger)  # another process, from beginning to end
            clock.forward(2 * DAY)
            turn_days(ledger)
        return pages(turn)

    monkeypatch.setattr(days, "_pages", meanwhile)
    assert turn_days(ledger, TODAY + timedelta(33)).balances == 0
    assert at(ledger) == Standing(ledger.today(), ledger.today())
    assert shown(ledger) == right(ledger, ledger.today())


def test_a_ledger_that_showed_nothing_yet_gets_all_at_its_first_turn(
    ledger: Ledger, journal: Journal, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    many(journal)
    with ledger.writing("an older program") as transaction:
        transaction.connection.execute(sa.delete(shown_days))
        transaction.connection.execute(sa.delete(POINT_BALANCES.table))
    journal.post(Posting("k", (earn("A", "plain", "1"),)), by="till")
    assert shown(ledger) == {}
    monkeypatch.setattr(days, "PAGE", 2)
    clock.forward(5 * DAY)
    turned = turn_days(ledger)
    assert (turned.since, turned.balances) == (None, len(shown(ledger)))
    assert shown(ledger) == right(ledger, ledger.today())
    journal.post(Posting("l", (earn("A", "plain", "1"),)), by="till")
    assert shown(ledger) == right(ledger, ledger.today())


def test_what_expired_is_told_by_kind(ledger: Ledger, earned: Journal, clock: Clock) -> None:
    earned.post(Posting("k", (earn("B", "money", "1"), earn("B", "money", "2"))), by="till")
    last = date(2026, 2, 2)
    with ledger.reading() as connection:
        assert expired(connection, TODAY, last) == []
        expected = [Expired("money", Decimal("5.5"), lots=3, cards=2)]
        assert expired(connection, last, last + timedelta(1)) == expected
        assert expired(connection, None, last + timedelta(1)) == expected
        assert expired(connection, last + timedelta(1), last + timedelta(9)) == []


def test_the_day_ends_in_the_zone_of_the_ledger(tmp_path: Path, new_id: Callable[[], str]) -> None:
    clock = Clock()
    clock.now = datetime(2026, 1, 1, 22, 59, tzinfo=UTC)
    zone = ZoneInfo("Europe/Berlin")
    url = f"sqlite:///{tmp_path}/z.db"
    with Ledger.open(url, clock=clock, new_id=new_id, zone=zone) as ledger:
        fill(ledger)
        assert turn_days(ledger).day == date(2026, 1, 1)
        Journal(ledger, zone).post(Posting("k", (earn("A", "later", "1"),)), by="t")
        clock.forward(60)
        assert turn_days(ledger).day == date(2026, 1, 2)
        assert shown(ledger) == right(ledger, date(2026, 1, 2))


def test_a_side_of_a_sync_turns_the_day_before_it_answers(
    ledger: Ledger, earned: Journal, clock: Clock
) -> None:
    endpoint = LedgerEndpoint(ledger)
    columns = ["BalanceId", "Available"]
    (page,) = endpoint.scan("LoyaltyPointBalances", columns, None)
    assert page.position is not None
    assert {row.image for row in page.rows} >= {("A/later", Decimal(0))}
    clock.forward(10 * DAY)
    (page,) = endpoint.changes("LoyaltyPointBalances", columns, page.position)
    assert {row.image for row in page.rows} >= {("A/later", Decimal(5))}
    clock.forward(400 * DAY)
    found = endpoint.read("LoyaltyPointBalances", ["Available"], by="BalanceId", values=["a/MONEY"])
    assert [row.image for row in found.rows["a/MONEY"]] == [(Decimal(0),)]


def test_it_looks_for_a_new_day_without_asking_the_database(
    ledger: Ledger, earned: Journal, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint = LedgerEndpoint(ledger)
    asked: list[Ledger] = []
    turn = days.turn_days

    def watched(one: Ledger) -> Turned:
        asked.append(one)
        return turn(one)

    monkeypatch.setattr(days, "turn_days", watched)
    for entity in ("LoyaltyPointBalances", "LoyaltyCardTiers", "LoyaltyPointTransactions") * 3:
        list(endpoint.scan(entity, ["CardNumber"], None))
    assert len(asked) == 1
    clock.forward(DAY)
    list(endpoint.scan("RetailLoyaltyCards", ["CardNumber"], None))
    assert len(asked) == 1
    list(endpoint.scan("LoyaltyCardTiers", ["CardNumber"], None))
    assert len(asked) == 2


def test_points_that_were_given_for_no_reason_expire_too(
    ledger: Ledger, journal: Journal, clock: Clock
) -> None:
    journal.post(Posting("k", (Adjust("A", "money", Decimal(3)),)), by="t")
    clock.forward(60 * DAY)
    turn_days(ledger)
    assert shown(ledger)["A/money"]["Expired"] == Decimal(3)
