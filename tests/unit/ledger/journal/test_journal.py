"""Postings of every kind against a ledger, and what is refused."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
import sqlalchemy as sa

from connector.errors import RecordError
from connector.ledger.journal.balances import Balance, balances
from connector.ledger.journal.journal import Journal
from connector.ledger.journal.posting import (
    Adjust,
    Earn,
    GiveBack,
    Line,
    Posted,
    Posting,
    Redeem,
    Refused,
    TakeBack,
    Transfer,
)
from connector.ledger.journal.statements import mismatches, transactions
from connector.ledger.ledger import Ledger
from connector.ledger.members.households import Households
from connector.ledger.operations import Refused as RecordRefused
from connector.ledger.operations import Remove, Upsert
from tests.unit.ledger.conftest import START, Clock

TODAY = START.date()


class Till:
    """Posts lines under keys of their own."""

    def __init__(self, ledger: Ledger, journal: Journal) -> None:
        self.ledger, self.journal, self._number = ledger, journal, 0

    def post(self, *lines: Line, at: datetime | None = None) -> Posted:
        self._number += 1
        return self.journal.post(Posting(f"T-{self._number}", lines, at), by="till")

    def refused(self, *lines: Line, at: datetime | None = None) -> str:
        before = self.everything()
        with pytest.raises(RecordError) as caught:
            self.post(*lines, at=at)
        assert caught.value.remedy
        assert self.everything() == before
        return caught.value.code

    def of(self, card: str, kind: str = "plain", on: date = TODAY) -> Balance:
        (found,) = [one for one in balances(self.ledger, card, on) if one.kind == kind]
        return found

    def everything(self) -> list[Sequence[object]]:
        with self.ledger.reading() as connection:
            names = ("point_postings", "point_entries", "point_deductions")
            return [
                tuple(row)
                for name in names
                for row in connection.execute(sa.text(f"SELECT * FROM {name} ORDER BY 1, 2"))
            ]


@pytest.fixture
def till(ledger: Ledger, journal: Journal) -> Till:
    return Till(ledger, journal)


def earn(points: object, card: str = "A", kind: str = "plain") -> Earn:
    return Earn(card, kind, Decimal(str(points)))


def redeem(points: object, card: str = "A", kind: str = "plain") -> Redeem:
    return Redeem(card, kind, Decimal(str(points)))


# ---------------------------------------------------------------------------- earning


def test_what_is_earned_is_available(till: Till) -> None:
    (entry,) = till.post(earn(30)).entries
    assert (entry.card, entry.kind, entry.points, entry.expires) == (
        "A",
        "plain",
        Decimal(30),
        None,
    )
    balance = till.of("A")
    assert (balance.available, balance.lifetime, balance.redeemed) == (
        Decimal(30),
        Decimal(30),
        Decimal(0),
    )


def test_points_vest_and_expire_by_their_kind(till: Till) -> None:
    till.post(earn(30, kind="later"))
    till.post(earn("1.25", kind="money"))
    assert till.of("A", "later").unvested == 30
    assert till.of("A", "later", date(2026, 1, 12)).available == 30
    money = till.of("A", "money")
    assert (money.available, money.expiring) == (Decimal("1.25"), Decimal(0))
    assert money.next_expiry == date(2026, 2, 2)
    assert till.of("A", "money", date(2026, 1, 4)).expiring == Decimal("1.25")
    after = till.of("A", "money", date(2026, 2, 3))
    assert (after.available, after.expired, after.next_expiry) == (
        Decimal(0),
        Decimal("1.25"),
        None,
    )


def test_a_card_earns_up_to_the_cap_of_the_kind(till: Till) -> None:
    till.post(earn(70, kind="capped"))
    (entry,) = till.post(earn(70, kind="capped")).entries
    assert (entry.points, entry.asked, entry.why) == (
        Decimal(30),
        Decimal(70),
        "a card holds 100 at most",
    )
    (entry,) = till.post(earn(1, kind="capped")).entries
    assert entry.points == 0
    assert till.of("A", "capped").available == 100


# ---------------------------------------------------------------------------- paying


def test_points_pay_from_the_lot_that_expires_first(till: Till) -> None:
    till.post(earn(10, kind="money"))
    till.post(earn(10, kind="money"), at=datetime(2025, 12, 20, tzinfo=UTC))
    till.post(redeem(12, kind="money"))
    left = till.of("A", "money", date(2026, 1, 25))
    assert (left.available, left.expired) == (Decimal(8), Decimal(0))


def test_nothing_is_overdrawn(till: Till) -> None:
    till.post(earn(10))
    assert till.refused(redeem("11")) == "points-short"
    till.post(redeem(10))
    assert till.refused(redeem("1")) == "points-short"


def test_unvested_points_do_not_pay(till: Till) -> None:
    till.post(earn(10, kind="later"))
    assert till.refused(redeem(1, kind="later")) == "points-short"


def test_a_posting_happens_as_a_whole_or_not_at_all(till: Till) -> None:
    till.post(earn(10))
    assert till.refused(redeem(6), redeem(6)) == "points-short"
    assert till.refused(earn(5), redeem(3), Earn("nobody", "plain", Decimal(1))) == "card-unknown"
    assert till.of("A").available == 10


def test_a_pooling_card_pays_with_the_other_cards_of_its_customer(till: Till) -> None:
    till.post(earn(5, "POOL"), earn(5, "SAME"), earn(5, "EARNS"), earn(5, "A"))
    entries = till.post(redeem(12, "POOL")).entries
    paid = [(one.card, one.points) for one in entries]
    assert paid == [("POOL", Decimal(-5)), ("SAME", Decimal(-5)), ("EARNS", Decimal(-2))]
    assert entries[1].why == "paid for card …POOL"


def test_a_household_pays_with_all_its_cards(till: Till, ledger: Ledger) -> None:
    values = {"CardNumber": "MATE", "PartyNumber": "P2"}
    ledger.store("cards").apply([Upsert(values)], by="test", create_references=True)
    till.post(earn(5, "POOL"), earn(5, "MATE"))
    assert till.refused(redeem(8, "POOL")) == "points-short"
    households = Households(ledger)
    households.set("P1", "Elm Street", by="t")
    households.set("P2", "Elm Street", by="t")
    assert till.refused(redeem(8, "MATE")) == "points-short", "a card tender card has its own"
    entries = till.post(redeem(8, "POOL")).entries
    paid = [(one.card, int(one.points)) for one in entries]
    assert paid == [("POOL", -5), ("MATE", -3)]
    (back,) = till.post(GiveBack(entries[1].number, Decimal(3))).entries
    assert (back.card, back.points) == ("MATE", Decimal(3))
    households.leave("P2", by="t")
    assert till.refused(redeem(1, "POOL")) == "points-short"
    assert till.refused(redeem(6, "SAME")) == "points-short"


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (redeem(1, "EARNS"), "card-earns-only"),
        (redeem(1, "SHUT"), "card-blocked"),
        (earn(1, "SHUT"), "card-blocked"),
        (redeem(1, kind="tier"), "points-not-redeemable"),
        (redeem(1, kind="nothing"), "point-kind-unknown"),
        (earn(0), "points-invalid"),
        (earn(-1), "points-invalid"),
        (earn("0.5"), "points-fractional"),
        (Adjust("A", "plain", Decimal("NaN")), "points-invalid"),
        (TakeBack(1, Decimal("sNaN")), "points-invalid"),
        (TakeBack(1, Decimal("1E+999999999")), "points-invalid"),
        (TakeBack(99, Decimal(1)), "entry-unknown"),
        (Transfer("A", "a ", "plain", Decimal(1)), "transfer-to-itself"),
        (Transfer("A", "SHUT", "plain", Decimal(1)), "card-blocked"),
    ],
)
def test_what_may_not_be_is_refused(till: Till, line: Line, code: str) -> None:
    till.post(earn(10), Adjust("SHUT", "plain", Decimal(5)))
    assert till.refused(line) == code


# ---------------------------------------------------------------------------- coming back


def test_a_return_leaves_what_was_there_before_the_sale(till: Till) -> None:
    till.post(earn(20))
    before = till.of("A")
    (sale,) = till.post(earn(7)).entries
    till.post(TakeBack(sale.number, Decimal(7)))
    assert till.of("A") == before


def test_what_was_spent_already_is_said(till: Till) -> None:
    (sale,) = till.post(earn(7)).entries
    till.post(redeem(5))
    (entry,) = till.post(TakeBack(sale.number, Decimal(7))).entries
    assert (entry.points, entry.asked, entry.why) == (
        Decimal(-2),
        Decimal(-7),
        "5 of them are spent already",
    )
    assert till.of("A").available == 0


def test_points_can_be_saved_from_a_blocked_card(till: Till) -> None:
    till.post(Adjust("SHUT", "plain", Decimal(5)))
    till.post(Transfer("SHUT", "A", "plain", Decimal(5)))
    assert till.of("A").available == 5


def test_points_that_were_not_handed_to_the_replacement_are_taken_where_they_are(
    till: Till, ledger: Ledger
) -> None:
    (sale,) = till.post(earn(7), earn(5, "B")).entries[:1]
    replaced = Upsert({"CardNumber": "A", "ReplacementCardNumber": "B"})
    ledger.store("cards").apply([replaced], by="sync")
    (entry,) = till.post(TakeBack(sale.number, Decimal(7))).entries
    assert (entry.card, entry.points, entry.why) == ("A", Decimal(-7), "")
    assert till.of("A").available == 0
    assert till.of("B").available == 5


def test_no_more_comes_back_than_the_sale_earned(till: Till) -> None:
    (sale,) = till.post(earn(7)).entries
    till.post(TakeBack(sale.number, Decimal(5)))
    assert till.refused(TakeBack(sale.number, Decimal(3))) == "return-exceeds"
    assert till.refused(GiveBack(sale.number, Decimal(1))) == "entry-unknown"


def test_points_paid_return_to_their_lots(till: Till) -> None:
    till.post(earn(10, kind="money"))
    till.post(earn(10, kind="money"), at=datetime(2025, 12, 20, tzinfo=UTC))
    before = [till.of("A", "money", date(2026, 1, day)) for day in (2, 25)]
    (paid,) = till.post(redeem(15, kind="money")).entries
    till.post(GiveBack(paid.number, Decimal(4)))
    assert till.refused(GiveBack(paid.number, Decimal(12))) == "return-exceeds"
    till.post(GiveBack(paid.number, Decimal(11)))
    assert [till.of("A", "money", date(2026, 1, day)) for day in (2, 25)] == before


def test_sale_and_return_within_one_batch(till: Till) -> None:
    first = Posting("S", (earn(5),))
    second = Posting("R", (TakeBack(1, Decimal(5)),))
    results = till.journal.post_all([first, second, first], by="till")
    assert [isinstance(one, Posted) for one in results] == [True, True, True]
    assert till.of("A").available == 0
    assert isinstance(results[2], Posted)
    assert results[2].repeated


# ---------------------------------------------------------------------------- by hand


def test_adjustments_add_and_remove(till: Till) -> None:
    till.post(Adjust("A", "plain", Decimal(9)))
    till.post(Adjust("A", "plain", Decimal(-4)))
    balance = till.of("A")
    assert (balance.available, balance.adjusted, balance.lifetime) == (
        Decimal(5),
        Decimal(5),
        Decimal(0),
    )
    assert till.refused(Adjust("A", "plain", Decimal(-6))) == "points-short"


def test_a_transfer_keeps_first_and_last_day(till: Till) -> None:
    till.post(earn(10, kind="money"), at=datetime(2025, 12, 20, tzinfo=UTC))
    till.post(earn(10, kind="money"))
    out, first, second = till.post(Transfer("A", "B", "money", Decimal(15), "new card")).entries
    assert (out.points, out.why) == (Decimal(-15), "new card; to card …B")
    assert (first.points, first.expires) == (Decimal(10), date(2026, 1, 20))
    assert (second.points, second.expires) == (Decimal(5), date(2026, 2, 2))
    assert till.of("B", "money").available == 15


# ---------------------------------------------------------------------------- once


def test_a_posting_that_comes_again_gets_the_first_answer(till: Till) -> None:
    posting = Posting("order 1", (earn(5),), comment="web")
    first = till.journal.post(posting, by="till")
    again = till.journal.post(posting, by="till")
    assert (again.number, again.entries, again.repeated) == (first.number, first.entries, True)
    assert till.of("A").available == 5


def test_a_key_is_not_used_for_something_else(till: Till) -> None:
    till.journal.post(Posting("order 1", (earn(5),)), by="till")
    with pytest.raises(RecordError) as caught:
        till.journal.post(Posting("order 1", (earn(6),)), by="till")
    assert caught.value.code == "posting-differs"


def test_one_refused_posting_stops_no_other(till: Till) -> None:
    wanted = [Posting(str(n), (earn(n),)) for n in (1, 0, 2)] + [Posting("none", ())]
    results = till.journal.post_all(wanted, by="till")
    assert [type(one) for one in results] == [Posted, Refused, Posted, Refused]
    (next_entry,) = till.post(earn(1)).entries
    assert next_entry.number == 3


# ---------------------------------------------------------------------------- time


def test_a_clock_that_was_set_back_posts_nothing(till: Till, clock: Clock) -> None:
    till.post(earn(1))
    clock.forward(-4 * 60)
    till.post(earn(1))
    clock.forward(-4 * 60)
    assert till.refused(earn(1)) == "clock-set-back"


def test_what_is_yet_to_come_is_refused(till: Till) -> None:
    assert till.refused(earn(1), at=datetime(2026, 1, 4, tzinfo=UTC)) == "posting-ahead"


# ---------------------------------------------------------------------------- the ledger


def test_the_entries_of_a_card_the_newest_first(till: Till) -> None:
    for number in range(1, 6):
        till.post(earn(number))
    till.post(earn(9, "B"))
    page = transactions(till.ledger, "a", limit=2)
    assert [one.points for one in page] == [5, 4]
    rest = transactions(till.ledger, "A", before=page[-1].number)
    assert [one.points for one in rest] == [3, 2, 1]
    assert rest[0].at == START


def test_a_lot_that_does_not_add_up_is_found(till: Till) -> None:
    till.post(earn(5))
    till.post(redeem(2))
    assert list(mismatches(till.ledger)) == []
    with till.ledger.writing("hand") as transaction:
        transaction.connection.execute(
            sa.text("UPDATE point_entries SET remaining = 1 WHERE number = 1")
        )
    (found,) = mismatches(till.ledger)
    assert (found.entry, found.proven) == (1, Decimal(3))


@pytest.mark.parametrize("entity", ["cards", "reward-points"])
def test_a_record_with_points_is_not_deleted(till: Till, entity: str) -> None:
    till.post(earn(5))
    store = till.ledger.store(entity)
    record = store.find("A" if entity == "cards" else "plain")
    assert record is not None
    (result,) = store.apply([Remove(record.id, None)], by="test")
    assert isinstance(result, RecordRefused)
    assert result.error.code == "points-kept"


def test_a_ledger_of_the_version_before_gets_its_journal(tmp_path: Path, clock: Clock) -> None:
    url = f"sqlite:///{tmp_path}/old.db"
    with Ledger.open(url, clock=clock) as old:
        old.store("cards").create({"CardNumber": "A"}, by="test")
    with sa.create_engine(url).begin() as connection:
        for name in ("point_deductions", "point_entries", "point_postings"):
            connection.execute(sa.text(f"DROP TABLE {name}"))
        connection.execute(sa.text("UPDATE ledger_info SET schema_version = 1"))
    for _ in range(2):
        with Ledger.open(url, clock=clock, create=False) as ledger:
            assert ledger.store("cards").find("A") is not None
            assert balances(ledger, "A", TODAY) == []
