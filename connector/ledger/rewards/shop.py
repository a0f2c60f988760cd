"""What a web shop asks of the rewards of an open ledger.

Owns: these questions and acts, each in one transaction.
Never does: arithmetic or conditions (`evaluator.py`, `preview.py`), paying (`checkout.py`).
Tested in: tests/unit/ledger/rewards/test_shop.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal

import sqlalchemy as sa

from connector.errors import Problem, RecordError, Subject
from connector.ledger.fields import fold
from connector.ledger.journal.books import BLOCKED
from connector.ledger.journal.posting import Posted
from connector.ledger.ledger import Ledger
from connector.ledger.members.facts import facts
from connector.ledger.members.member import Member
from connector.ledger.programs.occasion import Item
from connector.ledger.programs.reading import refusal
from connector.ledger.programs.store import known
from connector.ledger.programs.yaml_text import YamlText
from connector.ledger.rewards import checkout, store
from connector.ledger.rewards.cart import Cart
from connector.ledger.rewards.checks import examined
from connector.ledger.rewards.preview import Prospect, prospects, with_product
from connector.ledger.rewards.prices import on_day
from connector.ledger.schema import CARDS

_CARD = CARDS.table.c


class Shop:
    """Rewards, prices in points, and carts of one open ledger."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def examined(self, files: Iterable[YamlText]) -> list[Problem]:
        """All that is wrong with the files of rewards, alone and with this ledger."""
        with self._ledger.reading() as connection:
            have = known(connection)
        return [problem for file in files for problem in examined(file, have)[1]]

    def take_over(self, files: Iterable[YamlText], *, by: str) -> list[store.Kept]:
        """A version of each reward, where it changed; all of them or none.

        Raises ConfigError with the first finding of `examined` that is an error.
        """
        with self._ledger.writing(by) as transaction:
            have = known(transaction.connection)
            judged = [examined(file, have) for file in files]
            problems = [problem for _, found in judged for problem in found]
            if any(problem.severity == "error" for problem in problems):
                raise refusal(problems)
            documents = [document for document, _ in judged if document is not None]
            return [store.keep(transaction, document) for document in documents]

    def preview(self, item: Item, cart: Cart, language: str | None = None) -> Sequence[Prospect]:
        """What a product put into a cart would earn, and what is missing for more.

        Raises RecordError: `card-unknown`, `card-blocked`.
        """
        with self._ledger.reading() as connection:
            rewards = store.load(connection)
            member = None if cart.card is None else _member(connection, cart.card)
            prices = on_day(connection, [line.product for line in cart.lines], self._ledger.today())
        points: dict[int, Decimal] = {}
        for place, line in enumerate(cart.lines):
            price = prices.get((fold(line.product), fold(line.pay_with or "")))
            if price is not None:
                points[place] = price.points * line.quantity
        now = self._ledger.now().astimezone(self._ledger.zone)
        sale, place = with_product(cart.sale(now, points), item)
        return prospects(rewards, sale, place, member, language)

    def checked(self, cart: Cart) -> checkout.Checked:
        """Whether the lines of a cart that cost points can be paid today."""
        with self._ledger.reading() as connection:
            return checkout.checked(connection, cart, self._ledger.today())

    def checkout(self, cart: Cart, *, by: str) -> tuple[Posted, Sequence[checkout.Due]]:
        """Withdraw what these lines cost, once for an order (`checkout.carried_out`)."""
        with self._ledger.writing(by) as transaction:
            return checkout.carried_out(transaction, cart)


def _member(connection: sa.Connection, number: str) -> Member:
    query = sa.select(_CARD.id, _CARD.card_tender_type).where(_CARD.key == fold(number))
    row = connection.execute(query).one_or_none()
    if row is None or row.card_tender_type == BLOCKED:
        code, what = ("card-unknown", "is not in the ledger")
        if row is not None:
            code, what = ("card-blocked", "is blocked and earns nothing")
        raise RecordError(
            code,
            f"the card {what}",
            remedy="check its number, or leave it out to see what anybody would earn",
            subject=Subject(record=f"…{number[-4:]}"),
        )
    return facts(connection, [row.id])[row.id]
