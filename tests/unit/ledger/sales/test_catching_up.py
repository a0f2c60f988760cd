"""A package is missing: the till goes on, and what a program owes is given when it is there."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from connector.errors import ConfigError
from connector.ledger.desk import Customer, Desk
from connector.ledger.forgetting import forget_customer
from connector.ledger.journal.statements import mismatches, transactions
from connector.ledger.ledger import Ledger
from connector.ledger.programs import store
from connector.ledger.programs.cache import Cache
from connector.ledger.programs.document import ProgramDocument
from connector.ledger.programs.missing import tried
from connector.ledger.programs.occasion import Activity
from connector.ledger.programs.owing import debts
from connector.ledger.sales.catching_up import CaughtUp, catch_up
from connector.ledger.sales.receipt import Back, Receipt
from connector.ledger.sales.till import Till
from tests.unit.ledger.conftest import START, Clock
from tests.unit.ledger.journal.conftest import fill
from tests.unit.ledger.programs.packages import installed
from tests.unit.ledger.sales.conftest import item, sale

BASE = {"rule": "base", "by": "amount", "currency": "EUR", "points": 1, "kind": "plain"}
SURVEY = {"rule": "survey", "by": "activity", "points": 20, "kind": "plain"}
SILVER = {"tier": "silver", "level": 1, "points": 100, "kind": "plain"}
MODULE = """
from decimal import Decimal
from connector.ledger.programs.extensions import Gift, TierReached

class Fresh:
    def admits(self, occasion, member):
        return member.sales < 2

    def gifts(self, happening, member):
        if isinstance(happening, TierReached):
            yield Gift(f"reached {happening.tier}", "plain", Decimal(7))
"""


class Shop:
    """A ledger with a program that needs a package, and one that needs none."""

    def __init__(self, ledger: Ledger, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.ledger, self.till = ledger, Till(ledger)
        self._folder, self._patch = folder, monkeypatch
        fill(ledger)
        for name, tiers, uses in (("club", [SILVER], [{"use": "fresh"}]), ("other", [], [])):
            content = {"program": name, "earn": [BASE, SURVEY], "tiers": tiers, "extensions": uses}
            with ledger.writing("test") as transaction:
                store.keep(transaction, ProgramDocument.model_validate(content), "")

    def sell(self, number: str = "S-1", amount: int = 10, card: str = "A") -> Receipt:
        return self.till.sale(sale(number, card, lines=(item(amount, 2),)), by="till")

    def install(self) -> None:
        """The package comes, and the program is started anew."""
        (self._folder / "a_fresh_package.py").write_text(MODULE, encoding="utf-8")
        installed(self._folder, self._patch, "a_fresh_package", {"fresh": "a_fresh_package:Fresh"})
        self._patch.setattr(store, "_cache", Cache())

    def caught_up(self) -> CaughtUp:
        return catch_up(self.ledger, by="admin")

    def owed(self) -> list[str]:
        with self.ledger.reading() as connection:
            return [f"{one.owed.program} {one.what} {one.name}" for one in debts(connection)]

    def moved(self, card: str = "A") -> list[tuple[str, int]]:
        """Rule or type, and points, the oldest first."""
        found = reversed(transactions(self.ledger, card))
        return [((one.rule or str(one.type)).partition("@")[0], int(one.points)) for one in found]


@pytest.fixture
def shop(ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    return Shop(ledger, tmp_path, monkeypatch)


def test_the_till_goes_on_and_the_rest_comes_later(shop: Shop, clock: Clock) -> None:
    receipt = shop.sell()
    (due,) = receipt.owed
    assert (due.program, due.version, due.code) == ("club", 1, "extension-unknown")
    assert "`fresh`" in due.cause
    assert shop.sell().repeated
    assert (shop.moved(), shop.owed()) == ([("other/base", 10)], ["club sale s-1"])
    still = shop.caught_up()
    assert (still.settled, [one.name for one in still.left]) == ([], ["s-1"])
    shop.install()
    clock.forward(86_400)
    (done,) = shop.caught_up().settled
    assert [(one.rule, one.at) for one in done.entries] == [("club/base@1", START)]
    assert shop.moved() == [("other/base", 10), ("club/base", 10)]
    assert (shop.owed(), shop.caught_up()) == ([], CaughtUp([], []))
    assert list(mismatches(shop.ledger)) == []


def test_each_is_judged_by_the_facts_of_its_time(shop: Shop) -> None:
    for number in range(3):
        shop.sell(f"S-{number}")
    shop.install()
    entries = [len(one.entries) for one in shop.caught_up().settled]
    assert entries == [1, 1, 0], "the extension admits the first two sales of a card"


def test_what_came_back_meanwhile_earns_nothing(shop: Shop) -> None:
    shop.sell("S-1")
    shop.sell("S-2")
    shop.till.returned("S-1", "R-1", [Back(1, Decimal(1))], by="till")
    shop.till.returned("S-2", "R-2", by="till")
    shop.install()
    assert [[one.points for one in done.entries] for done in shop.caught_up().settled] == [[5], []]
    shop.till.returned("S-1", "R-3", by="till")
    assert sum(points for _, points in shop.moved()) == 0


def test_a_return_of_what_was_earned_later_takes_it_back(shop: Shop) -> None:
    """Also where nothing else was earned by the sale."""
    with shop.ledger.writing("test") as transaction:
        store.switch(transaction, "other", active=False)
    shop.sell()
    shop.install()
    shop.caught_up()
    shop.till.returned("S-1", "R-1", by="till")
    assert shop.moved() == [("club/base", 10), ("ReturnEarned", -10)]


def test_goods_come_back_also_where_the_package_is_gone(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as there:
        shop._patch = there
        shop.install()
        shop.sell()
    monkeypatch.setattr(store, "_cache", Cache())
    shop.till.returned("S-1", "R-1", [Back(1, Decimal(1))], by="till")
    assert sum(points for _, points in shop.moved()) == 10


def test_an_activity_is_owed_as_well(shop: Shop) -> None:
    assert shop.till.activity(Activity("V-1", "A", START, "survey"), by="till").owed
    assert (shop.moved(), shop.owed()) == ([("other/survey", 20)], ["club activity v-1"])
    shop.install()
    shop.caught_up()
    assert shop.moved() == [("other/survey", 20), ("club/survey", 20)]


def test_a_tier_that_was_reached_brings_its_gift_later(shop: Shop) -> None:
    shop.sell("S-1", 110)
    with shop.ledger.reading() as connection:
        found = [(one.what, one.tier, one.member.card) for one in debts(connection)]
    assert found == [("sale", "", "A"), ("tier", "silver", "A")]
    shop.install()
    done = {
        one.debt.what: [int(of.points) for of in one.entries] for one in shop.caught_up().settled
    }
    assert done == {"sale": [110], "tier": [7]}


def test_points_go_to_the_card_that_stands_for_it(shop: Shop) -> None:
    shop.sell()
    Desk(shop.ledger).replace("A", "A2", by="desk")
    shop.install()
    shop.caught_up()
    assert shop.moved("A2")[-1] == ("club/base", 10)


def test_a_card_that_is_blocked_is_still_owed(shop: Shop, clock: Clock) -> None:
    shop.sell()
    Desk(shop.ledger).block("A", by="desk")
    shop.install()
    (left,) = shop.caught_up().left
    assert (left.owed.code, shop.owed()) == ("card-blocked", ["club sale s-1"])


def test_trying_a_sale_tells_loudly(shop: Shop) -> None:
    card = shop.ledger.store("cards").find("A")
    assert card is not None
    with pytest.raises(ConfigError, match="extension-unknown"):
        tried(shop.ledger, sale(at=START - timedelta(days=1)), card.id)


def test_whoever_is_forgotten_is_owed_nothing(shop: Shop) -> None:
    Desk(shop.ledger).issue("P", Customer("P7", create=True), by="desk")
    shop.sell("S-1", card="P")
    shop.sell("S-2")
    assert forget_customer(shop.ledger, "P7", by="desk").counts["owed"] == 1
    assert shop.owed() == ["club sale s-2"]
