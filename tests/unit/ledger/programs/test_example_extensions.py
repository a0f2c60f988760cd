"""The extensions of examples/ledger-extensions, installed and at work in a ledger."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from connector.errors import ConfigError, RecordError
from connector.ledger.desk import Customer, Desk
from connector.ledger.journal.statements import mismatches, transactions
from connector.ledger.ledger import Ledger
from connector.ledger.programs.document import ProgramDocument
from connector.ledger.programs.extensions import load
from connector.ledger.programs.library import bring
from connector.ledger.programs.occasion import Activity, Item, Sale
from connector.ledger.programs.store import keep
from connector.ledger.sales.catching_up import catch_up
from connector.ledger.sales.receipt import Receipt
from connector.ledger.sales.till import Till
from tests.unit.ledger.conftest import Clock
from tests.unit.ledger.programs.packages import installed

EXAMPLES = Path(__file__).parents[4] / "examples/ledger-extensions"
CARD = "100001"
BASE = {"rule": "base", "by": "amount", "currency": "EUR", "points": 1, "kind": "bonus"}
SILVER = {"tier": "silver", "level": 1, "points": 100, "kind": "bonus"}
GOLD = {"tier": "gold", "level": 2, "points": 120, "kind": "bonus"}


@pytest.fixture(autouse=True)
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(EXAMPLES))
    project = tomllib.loads((EXAMPLES / "pyproject.toml").read_text("utf-8"))["project"]
    installed(tmp_path, monkeypatch, "shop_extensions", project["entry-points"]["dualwrite.ledger"])
    (tmp_path / "birthdays.csv").write_text("P1,1980-02-29\nP2,2010-06-01\n", encoding="utf-8")


class Shop:
    """A ledger with a program, and somebody at the till."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.till = Till(ledger)
        values = {"RewardPointId": "bonus", "RewardPointType": "Quantity", "Redeemable": "Yes"}
        ledger.store("reward-points").create(values, by="test")
        for number, party in ((CARD, "P1"), ("100002", "P2"), ("100009", "P1")):
            Desk(ledger).issue(number, Customer(party, create=True), by="test")

    def has(self, *uses: dict[str, object], **more: object) -> Shop:
        """The program has these extensions."""
        content = {"program": "club", "earn": [BASE], "extensions": uses, **more}
        with self.ledger.writing("test") as transaction:
            keep(transaction, ProgramDocument.model_validate(content), "")
        return self

    def sale(
        self, number: int, amount: int = 10, card: str = CARD, at: datetime | None = None
    ) -> Sale:
        """An order that is not posted yet."""
        lines = (Item("p", Decimal(1), Decimal(amount)),)
        return Sale(f"A-{number}", card, at or self.ledger.now(), "EUR", lines)

    def sells(
        self, number: int, amount: int = 10, card: str = CARD, at: datetime | None = None
    ) -> None:
        """A sale."""
        self.till.sale(self.sale(number, amount, card, at), by="test")

    def gave(self, card: str = CARD) -> list[tuple[str, int]]:
        """What extensions gave a card, with the words of their own, the oldest first."""
        return [
            (one.why.split(": ", 1)[1], int(one.points))
            for one in reversed(transactions(self.ledger, card, limit=1000))
            if "/base@" not in str(one.rule)
        ]


@pytest.fixture
def shop(ledger: Ledger) -> Iterator[Shop]:
    yield Shop(ledger)
    assert list(mismatches(ledger)) == []


def test_a_welcome_gift_comes_with_the_first_sale(shop: Shop) -> None:
    shop.has({"use": "welcome-gift", "with": {"kind": "bonus", "points": 50}})
    first = shop.till.sale(shop.sale(1), by="test")
    assert [int(one.points) for one in first.entries] == [10, 50]
    again = shop.till.sale(shop.sale(1), by="test")
    assert (again.repeated, [int(one.points) for one in again.entries]) == (True, [10])
    shop.sells(2)
    assert shop.gave() == [("first sale A-1", 50)]
    (entry,) = [one for one in transactions(shop.ledger, CARD) if one.points == 50]
    assert (entry.type, entry.rule, entry.sale) == ("Earn", "club/welcome-gift@1", "a-1")


def test_a_card_that_replaces_another_gets_no_first_gift_anew(shop: Shop) -> None:
    shop.has(
        {"use": "welcome-gift", "with": {"kind": "bonus", "points": 50}},
        earn=[{"rule": "third", "by": "sale", "every": 3, "points": 7, "kind": "bonus"}],
    )
    Desk(shop.ledger).issue("N-1", by="test")
    shop.sells(1, card="N-1")
    shop.sells(2, card="N-1")
    Desk(shop.ledger).replace("N-1", "N-2", by="test")
    shop.sells(3, card="N-2")
    earned = [one for one in transactions(shop.ledger, "N-2") if one.type == "Earn"]
    assert [(one.rule, int(one.points)) for one in earned] == [("club/third@1", 7)]


def test_a_gift_stays_when_the_goods_come_back(shop: Shop) -> None:
    shop.has({"use": "welcome-gift", "with": {"kind": "bonus", "points": 50}})
    shop.sells(1)
    shop.till.returned("A-1", "R-1", by="test")
    total = sum(one.points for one in transactions(shop.ledger, CARD))
    assert total == 50


def test_a_tier_brings_a_gift_at_once_and_once(shop: Shop) -> None:
    use: dict[str, object] = {
        "use": "tier-gift",
        "with": {"kind": "bonus", "tiers": {"silver": 25, "gold": 30}},
    }
    shop.has(use, tiers=[SILVER, GOLD])
    shop.sells(1, 99)
    assert shop.gave() == []
    # One more euro: silver, whose 25 points make it gold at once.
    shop.sells(2, 1)
    assert shop.gave() == [("reached silver", 25), ("reached gold", 30)]
    shop.sells(3, 500)
    assert len(shop.gave()) == 2


def test_a_bonus_comes_with_the_nth_sale_also_within_a_batch(shop: Shop) -> None:
    twice: dict[str, object] = {"kind": "bonus", "points": 10, "sale": 2, "again": True}
    shop.has(
        {"use": "nth-sale", "with": {"kind": "bonus", "points": 5, "sale": 3}},
        {"use": "nth-sale", "with": twice},
    )
    shop.till.sales([shop.sale(number) for number in range(1, 6)], by="test")
    assert shop.gave() == [("sale number 2", 10), ("sale number 3", 5), ("sale number 4", 10)]


def test_a_birthday_is_given_once_a_year(shop: Shop, clock: Clock) -> None:
    shop.has(
        {"use": "birthday", "with": {"kind": "bonus", "points": 30, "file": "birthdays.csv"}},
        pooled=True,
    )
    clock.now = datetime(2027, 3, 10, tzinfo=UTC)
    days = ((2026, 2, 21), (2026, 2, 22), (2026, 3, 8), (2027, 3, 1), (2027, 3, 9))
    for number, day in enumerate(days):
        shop.sells(number, at=datetime(*day, tzinfo=UTC), card=CARD if number else "100009")
    assert shop.gave() == [("birthday on 2026-03-01", 30), ("birthday on 2027-03-01", 30)]
    shop.sells(9, card="100009", at=datetime(2027, 3, 2, tzinfo=UTC))
    assert shop.gave("100009") == []


def test_an_activity_is_rewarded_once_a_month(shop: Shop, clock: Clock) -> None:
    options: dict[str, object] = {
        "activity": "Survey",
        "kind": "bonus",
        "points": 5,
        "per": "month",
    }
    shop.has({"use": "activity-reward", "with": options})
    clock.now = datetime(2026, 3, 1, tzinfo=UTC)
    for number, (kind, day) in enumerate(
        (("survey", 1), ("survey", 9), ("visit", 9), ("SURVEY", 40))
    ):
        at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(day)
        for _ in range(2):
            shop.till.activity(Activity(f"B-{number}", CARD, at, kind), by="test")
    assert shop.gave() == [("survey B-0", 5), ("SURVEY B-3", 5)]


def test_only_members_of_full_age_earn(shop: Shop) -> None:
    shop.has({"use": "full-age", "with": {"file": "birthdays.csv"}})
    for number, card in enumerate((CARD, "100002")):
        shop.sells(number, card=card)
    assert len(transactions(shop.ledger, CARD)) == 1
    assert transactions(shop.ledger, "100002") == []
    shop.has({"use": "full-age", "with": {"file": "birthdays.csv", "age": 15}})
    shop.sells(3, card="100002")
    assert len(transactions(shop.ledger, "100002")) == 1


def test_sales_count_on_weekdays_only(shop: Shop, clock: Clock) -> None:
    shop.has({"use": "weekdays-only"})
    clock.now = datetime(2026, 1, 12, tzinfo=UTC)
    for day in range(5, 12):  # Monday to Sunday
        shop.sells(day, at=datetime(2026, 1, day, 12, tzinfo=UTC))
    assert len(transactions(shop.ledger, CARD)) == 5


def test_a_card_that_is_blocked_meanwhile_gets_nothing(shop: Shop) -> None:
    shop.has({"use": "welcome-gift", "with": {"kind": "bonus", "points": 50}})
    Desk(shop.ledger).block(CARD, by="test")
    with pytest.raises(RecordError):
        shop.sells(1)
    assert transactions(shop.ledger, CARD) == []


def test_an_extension_that_fails_stops_no_sale(shop: Shop) -> None:
    options = {"kind": "stars", "points": 30, "file": "birthdays.csv", "days": 60}
    shop.has({"use": "birthday", "with": options})
    wanted = [shop.sale(1), shop.sale(2, card="100002"), shop.sale(3)]
    receipts = [one for one in shop.till.sales(wanted, by="test") if isinstance(one, Receipt)]
    owed = [[(due.program, due.code) for due in one.owed] for one in receipts]
    assert owed == [[("club", "extension-failed")], [], [("club", "extension-failed")]]
    assert transactions(shop.ledger, CARD) == []
    values = {"RewardPointId": "stars", "RewardPointType": "Quantity"}
    shop.ledger.store("reward-points").create(values, by="test")
    assert catch_up(shop.ledger, by="test").left == []
    assert [one.points for one in transactions(shop.ledger, CARD)] == [10, 30, 10]


def test_the_program_of_the_examples_uses_them_all(shop: Shop, clock: Clock) -> None:
    bring(shop.ledger, [EXAMPLES / "programs/shop-club.yaml"], "test")
    clock.now = datetime(2026, 3, 2, 12, tzinfo=UTC)
    for number in (1, 2, 3):
        shop.sells(number)
    shop.till.activity(Activity("B-1", CARD, clock.now, "survey"), by="test")
    given = {"first sale A-1": 50, "birthday on 2026-03-01": 30, "sale number 3": 10}
    given |= {"survey B-1": 5, "reached silver": 25}
    assert dict(shop.gave()) == given


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("nth-sale", {"kind": "bonus", "points": 1, "sale": 0}),
        ("activity-reward", {"activity": "a", "kind": "bonus", "points": 1, "per": "year"}),
        ("full-age", {"file": "nowhere.csv"}),
        ("welcome-gift", {"points": 1}),
    ],
)
def test_wrong_options_are_refused_when_the_program_is_checked(
    name: str, options: dict[str, object]
) -> None:
    with pytest.raises(ConfigError) as refused:
        load(name, options)
    assert refused.value.code == "extension-options"
