"""A reward as its author wrote it.

Owns: the document model of one reward with its rules, from which the JSON Schema is made as well.
Never does: I/O, deciding what is earned (`evaluator.py`).
Tested in: tests/unit/ledger/rewards/test_document.py.

What a shop's database calls the parts is in docs/ledger.md, trigger by trigger
(commerce-loyalty, section 8, seed 002).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from connector.ledger.fields import fold
from connector.ledger.journal.amounts import SCALE
from connector.ledger.programs.document import Currency, Day, Label, Number

Slug = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$", max_length=64)]


class RewardType(StrEnum):
    """What a reward pays: so many points, or a part of the amount."""

    FIXED = "fixed"
    PERCENTAGE = "percentage"


class Rounding(StrEnum):
    """What becomes of parts of a point. Nearest: a half goes up."""

    NONE = "none"
    UP = "up"
    DOWN = "down"
    NEAREST = "nearest"


class Comparison(StrEnum):
    """How a figure of the order compares with that of the rule."""

    LEAST = ">="
    MOST = "<="
    EQUAL = "="
    MORE = ">"
    LESS = "<"


class DocumentModel(BaseModel):
    """Keys are spelled `order-total`; `from` has another name in Python."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        populate_by_name=True,
        alias_generator=lambda name: name.rstrip("_").replace("_", "-"),
    )


class Quantity(DocumentModel):
    """How many of the product the order line has."""

    condition: Comparison = Comparison.LEAST
    value: Number


class OrderTotal(DocumentModel):
    """What is paid in money for the whole order, in this currency; nothing is converted."""

    condition: Comparison = Comparison.LEAST
    value: Number
    currency: Currency


class OrderField(DocumentModel):
    """A field of the order and the value it has."""

    name: Label
    value: Label


class LineField(DocumentModel):
    """A field of the order line that is filled in, with this value where there is one."""

    name: Label
    value: Label | None = None


class RewardRule(DocumentModel):
    """One trigger: all that it says must hold. A rule that says nothing always holds."""

    rule: Slug = Field(description="Its name within the reward.")
    active: bool = True
    from_: Day | None = Field(None, description="The first day on which it holds.")
    until: Day | None = Field(None, description="The last day on which it holds.")
    user: Label | None = Field(None, description="The customer: a party number.")
    user_group: Label | None = Field(None, description="A customer group or affiliation.")
    customer_number: Label | None = Field(
        None, description="As the order's field customer-number has it."
    )
    products: tuple[Label, ...] = Field((), description="Products, or any of `groups`.")
    groups: tuple[Label, ...] = Field((), description="Product groups, or any of `products`.")
    variants: tuple[Label, ...] = ()
    language: Label | None = Field(None, description="Of the product as it was shown.")
    quantity: Quantity | None = None
    order_line_field: LineField | None = None
    order_total: OrderTotal | None = None
    shop: Label | None = None
    country: Label | None = None
    shipping: Label | None = None
    payment: Label | None = Field(None, description="A means of payment that pays any of it.")
    order_field: OrderField | None = None
    voucher_list: Label | None = Field(
        None, description="A list of vouchers of which the order used one."
    )

    @property
    def of_lines(self) -> bool:
        """Whether it is held against each order line; else against the order as a whole."""
        return bool(self.products or self.groups or self.variants) or any(
            one is not None for one in (self.language, self.quantity, self.order_line_field)
        )

    @model_validator(mode="after")
    def _period(self) -> Self:
        if self.from_ is not None and self.until is not None and self.until < self.from_:
            raise ValueError(f"`until: {self.until}` is before `from: {self.from_}`")
        return self


class RewardDocument(DocumentModel):
    """One reward. Any of its rules triggers it, once for each line or once for the order."""

    reward: Slug = Field(description="Its name in the ledger.")
    name: Label = Field(max_length=50, description="As customers read it.")
    type: RewardType
    points: Number | None = Field(None, description="What a fixed reward pays.")
    percentage: Number | None = Field(
        None, description="Points for 100 of the currency, for a percentage."
    )
    currency: Currency | None = Field(None, description="Orders in any other one earn nothing.")
    rounding: Rounding = Rounding.NEAREST
    decimals: int = Field(0, ge=0, le=SCALE, description="What it rounds to; 0 is whole points.")
    kind: Label = Field(description="The kind of points it pays, a RewardPointId.")
    active: bool = True
    archived: bool = Field(False, description="Kept for what it once paid; it never pays again.")
    translations: Mapping[str, Label] = Field({}, description="Language to name.")
    rules: tuple[RewardRule, ...] = Field(min_length=1)

    @property
    def pays(self) -> bool:
        """Whether it takes part at all."""
        return self.active and not self.archived

    def called(self, language: str | None = None) -> str:
        """Its name in a language, or as it is where there is no translation."""
        names = {fold(one): name for one, name in self.translations.items()}
        return names.get(fold(language or ""), self.name)

    def kept(self) -> str:
        """The document as JSON text, the same for the same meaning; `parsed` reads it again."""
        return json.dumps(self.told(), sort_keys=True, ensure_ascii=False)

    def told(self) -> dict[str, Any]:
        """What differs from the defaults, with the keys of the file and in their order."""
        data = self.model_dump(mode="python", by_alias=True, exclude_defaults=True)
        told: dict[str, Any] = json.loads(json.dumps(data, default=_plain))
        return told

    @classmethod
    def parsed(cls, kept: str) -> Self:
        """A document from the text of `kept`."""
        return cls.model_validate(json.loads(kept, parse_float=Decimal))

    @model_validator(mode="after")
    def _whole(self) -> Self:
        wanted, other = ("points", "percentage")
        if self.type is RewardType.PERCENTAGE:
            wanted, other = other, wanted
        if getattr(self, wanted) is None:
            raise ValueError(f"a reward of the type {self.type} needs `{wanted}`")
        if getattr(self, other) is not None:
            raise ValueError(f"a reward of the type {self.type} has no `{other}`")
        if self.type is RewardType.PERCENTAGE and self.currency is None:
            raise ValueError("a percentage needs the `currency` it is a part of")
        names = [one.rule for one in self.rules]
        twice = {name for name in names if names.count(name) > 1}
        if twice:
            raise ValueError(f"two rules are called `{min(twice)}`")
        return self


def _plain(value: object) -> object:
    # Four decimals of what a document may say survive a float.
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return str(value)
