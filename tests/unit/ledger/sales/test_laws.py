"""What holds whatever happens at a till: laws over sales, returns, activities and payments."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from connector.errors import RecordError
from connector.ledger.journal.balances import Balance, balances
from connector.ledger.journal.journal import Journal
from connector.ledger.journal.posting import Posting, Redeem
from connector.ledger.journal.statements import mismatches, transactions
from connector.ledger.ledger import Ledger
from connector.ledger.programs.occasion import Activity, Item, Sale
from connector.ledger.sales.receipt import Back
from connector.ledger.sales.till import Till
from tests.unit.ledger.conftest import START
from tests.unit.ledger.journal.conftest import CARDS, fill
from tests.unit.ledger.sales.conftest import Rules

cents = st.integers(0, 5_000).map(lambda one: Decimal(one).scaleb(-2))
quantity = st.sampled_from([Decimal(1), Decimal(2), Decimal(7), Decimal("0.3")])
card = st.sampled_from(["A", "B", "POOL", "SAME"])
number = st.integers(1, 4).map("S-{}".format)
line = st.builds(
    Item, st.sampled_from(["tea", "novel"]), quantity, cents, st.sampled_from([(), ("books",)])
)
lines = st.lists(line, min_size=1, max_size=3).map(tuple)


@dataclass
class Shop:
    """A till, and a list of what it accepted, to be done again elsewhere."""

    ledger: Ledger
    accepted: list[Callable[[Ledger, Till], object]] = field(default_factory=list)

    def __post_init__(self) -> None:
        fill(self.ledger)
        self.till = Till(self.ledger, terms=Rules())

    def do(self, act: Callable[[Ledger, Till], object]) -> None:
        before = self.standing()
        try:
            act(self.ledger, self.till)
        except RecordError:
            assert self.standing() == before
        else:
            self.accepted.append(act)

    def standing(self) -> dict[str, list[Balance]]:
        """Balances of the cards, without kinds that came to nothing."""
        held = {name: balances(self.ledger, name, START.date()) for name in CARDS}
        return {name: [one for one in of if any(one[1:])] for name, of in held.items()}


@contextmanager
def shops() -> Iterator[Callable[[], Shop]]:
    with TemporaryDirectory() as folder:
        made: list[Ledger] = []

        def shop() -> Shop:
            path = Path(folder) / f"{len(made)}.db"
            made.append(Ledger.open(f"sqlite:///{path}", clock=lambda: START))
            return Shop(made[-1])

        yield shop
        for one in made:
            one.close()


def selling(number: str, card: str, lines: tuple[Item, ...], day: int) -> Callable[..., object]:
    sale = Sale(number, card, START - timedelta(days=40 - day), "EUR", lines)
    return lambda _, till: till.sale(sale, by="law")


def returning(number: str, of: str, back: tuple[Back, ...] | None) -> Callable[..., object]:
    return lambda _, till: till.returned(of, number, back, by="law")


def visiting(number: str, card: str, times: int) -> Callable[..., object]:
    visit = Activity(number, card, START, "visit", Decimal(times))
    return lambda _, till: till.activity(visit, by="law")


def paying(number: str, card: str, points: int, of: str) -> Callable[..., object]:
    posting = Posting(f"pay {number}", (Redeem(card, "plain", Decimal(points)),), sale=of)
    return lambda ledger, _: Journal(ledger).post(posting, by="law")


parts = st.none() | st.lists(
    st.builds(Back, st.integers(1, 3), quantity, st.none() | cents), min_size=1, max_size=2
).map(tuple)
happening = st.one_of(
    st.builds(selling, number, card, lines, st.integers(0, 40)),
    st.builds(returning, st.integers(1, 9).map("R-{}".format), number, parts),
    st.builds(visiting, st.integers(1, 2).map("V-{}".format), card, st.integers(1, 3)),
    st.builds(paying, st.integers(1, 5).map(str), card, st.integers(1, 150), number),
)


@settings(max_examples=15, deadline=None)
@given(st.lists(happening, max_size=14))
def test_the_journal_balances_and_can_be_played_again(
    happenings: list[Callable[..., object]],
) -> None:
    with shops() as shop:
        one = shop()
        for act in happenings:
            one.do(act)
        assert list(mismatches(one.ledger)) == []
        for name in CARDS:
            for balance in balances(one.ledger, name, START.date()):
                moved = [
                    e for e in transactions(one.ledger, name, limit=1000) if e.kind == balance.kind
                ]
                total = sum((e.points for e in moved), Decimal(0))
                assert balance.available + balance.unvested + balance.expired == total
                assert balance.lifetime - balance.redeemed + balance.adjusted == total
        again = shop()
        for act in one.accepted:
            act(again.ledger, again.till)
        assert again.standing() == one.standing()


@settings(max_examples=15, deadline=None)
@given(
    lines, lines, st.lists(st.tuples(st.integers(1, 3), quantity), max_size=3), st.integers(0, 9)
)
def test_a_sale_that_comes_back_leaves_what_was_there(
    earlier: tuple[Item, ...],
    sold: tuple[Item, ...],
    pieces: list[tuple[int, Decimal]],
    points: int,
) -> None:
    """In pieces or at once, also where points paid for it."""
    with shops() as made:
        shop = made()
        shop.till.activity(Activity("V", "A", START, "visit"), by="law")
        shop.till.sale(Sale("S-1", "A", START, "EUR", earlier), by="law")
        before = shop.standing()
        if points:
            paying("1", "A", points, "S-2")(shop.ledger, shop.till)
        shop.till.sale(Sale("S-2", "A", START, "EUR", sold), by="law")
        for place, (at, some) in enumerate(pieces):
            shop.do(returning(f"R-{place}", "S-2", (Back(at, some),)))
        shop.do(returning("R", "S-2", None))
        assert shop.standing() == before


@settings(max_examples=10, deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 6).map("S-{}".format), card, lines), max_size=8),
    st.integers(1, 8),
)
def test_batches_come_to_the_same_as_one_by_one(
    wanted: list[tuple[str, str, tuple[Item, ...]]], size: int
) -> None:
    sales = [Sale(number, card, START, "EUR", lines) for number, card, lines in wanted]
    with shops() as made:
        single, batched = made(), made()
        for one in sales:
            single.till.sales([one], by="law")
        for start in range(0, len(sales), size):
            batched.till.sales(sales[start : start + size], by="law")
        assert single.standing() == batched.standing()
