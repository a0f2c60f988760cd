"""A cart as a web shop hands it in: for a preview, a check, or checkout.

Owns: the form of a cart, from which the JSON Schema is made as well; the cart as a sale.
Never does: I/O; deciding whether it can be paid (`checkout.py`).
Tested in: tests/unit/ledger/rewards/test_document.py, tests/unit/ledger/rewards/test_checkout.py.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Annotated

from pydantic import Field

from connector.ledger.programs.document import DECIMALS, MOST, Currency, Label, Number
from connector.ledger.programs.occasion import Item, Sale
from connector.ledger.rewards.document import DocumentModel

Money = Annotated[Decimal, Field(ge=0, le=MOST, decimal_places=DECIMALS)]
_NONE = Decimal(0)


class CartLine(DocumentModel):
    """One line. With `pay-with` it is paid with points of that kind, else with `amount`."""

    product: Label
    quantity: Number = Decimal(1)
    amount: Money = Field(_NONE, description="In money, for all of the line.")
    pay_with: Label | None = Field(None, description="A kind of points, a RewardPointId.")
    discount: Money = Field(_NONE, description="Taken off the line; never off points.")
    tax: Money = Field(_NONE, description="On the line; never on points.")
    offer: Label | None = None
    groups: tuple[Label, ...] = Field((), description="Product groups, the nearest first.")
    variant: Label | None = None
    language: Label | None = None
    fields: Mapping[str, Label] = {}

    def item(self, points: Decimal = _NONE) -> Item:
        """The line of a sale; `points` is what it costs in points."""
        return Item(
            self.product,
            self.quantity,
            self.amount,
            self.groups,
            self.offer,
            variant=self.variant,
            language=self.language,
            points=points,
            fields=self.fields,
        )


class Cart(DocumentModel):
    """What is in a cart, and what the shop knows of the order."""

    order: Label | None = Field(None, description="Names the order once and for all.")
    card: Label | None = Field(None, description="The loyalty card; none while nobody is known.")
    currency: Currency
    lines: tuple[CartLine, ...] = ()
    channel: Label | None = None
    unit: Label | None = None
    payments: Mapping[str, Money] = Field({}, description="Amounts by means of payment.")
    fields: Mapping[str, Label] = Field(
        {}, description="shop, country, shipping, customer-number, voucher-list and any other."
    )

    def sale(self, at: datetime, points: Mapping[int, Decimal]) -> Sale:
        """The order as a sale; `points` is what lines cost in points, by their place."""
        return Sale(
            self.order or "",
            self.card or "",
            at,
            self.currency,
            tuple(one.item(points.get(place, _NONE)) for place, one in enumerate(self.lines)),
            self.channel,
            self.unit,
            self.payments,
            self.fields,
        )

    def digest(self) -> str:
        """The same for two carts that say the same."""
        return hashlib.sha256(self.model_dump_json(by_alias=True).encode()).hexdigest()
