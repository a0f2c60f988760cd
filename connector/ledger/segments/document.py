"""A segment as its author wrote it.

Owns: the form of one segment file, from which the JSON Schema is made as well.
Never does: asking a ledger (`query.py`, `store.py`).
Tested in: tests/unit/ledger/segments/test_documents.py.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from connector.ledger.programs.document import (
    DECIMALS,
    MOST,
    PERIOD,
    Currency,
    Day,
    Label,
    Labels,
    Name,
    Names,
    Number,
)

MOST_LABELS = 5_000
"""Names one segment may list: a statement has room for so many values, and some more."""


def _decimal(value: object) -> object:
    # Neither a text nor a binary fraction: what is written is what is compared with.
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return value
    raise PydanticCustomError("number", "no number")


Period = Annotated[str, Field(pattern=PERIOD)]
Count = Annotated[int, Field(ge=0, le=MOST, strict=True)]
Least = Annotated[int, Field(ge=1, le=MOST, strict=True)]
Ceiling = Annotated[
    Decimal,
    BeforeValidator(_decimal),
    Field(ge=0, le=MOST, decimal_places=DECIMALS),
    WithJsonSchema({"type": "number", "minimum": 0, "maximum": MOST}),
]
_WORDS: dict[object, bool] = {"yes": True, "no": False}
YesNo = Annotated[
    bool,
    BeforeValidator(lambda value: _WORDS.get(value, value) if isinstance(value, str) else value),
    Field(strict=True),
    WithJsonSchema({"enum": ["yes", "no", True, False]}),
]


class Of(StrEnum):
    """What sales, points, tiers and programs are looked at together."""

    CARD = "card"
    CUSTOMER = "customer"


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, validate_by_name=False)


class TierHeld(_Model):
    """A tier of a program is held; any, or one of some."""

    program: Name
    one_of: Names | None = Field(default=None, alias="one-of")


class Bought(_Model):
    """What was bought, when and where, and how much of it; once, if not said otherwise.

    Goods that came back do not count.
    """

    products: Labels | None = None
    categories: Labels | None = None
    channels: Labels | None = None
    units: Labels | None = Field(default=None, description="Stores, by their operating unit.")
    within: Period | None = Field(default=None, description="The last days, months or years.")
    first: Day | None = Field(default=None, alias="from", description="The first day.")
    until: Day | None = Field(default=None, description="The last day.")
    currency: Currency | None = Field(default=None, description="Only sales in this currency.")
    least_sales: Least | None = Field(default=None, alias="least-sales")
    most_sales: Count | None = Field(default=None, alias="most-sales")
    least_amount: Number | None = Field(default=None, alias="least-amount")
    most_amount: Ceiling | None = Field(default=None, alias="most-amount")
    least_quantity: Number | None = Field(default=None, alias="least-quantity")
    most_quantity: Ceiling | None = Field(default=None, alias="most-quantity")

    @model_validator(mode="after")
    def _one_meaning(self) -> Bought:
        if self.within is not None and self.first is not None:
            raise ValueError("`within` and `from` both say when the time begins: keep one of them")
        amounts = (self.least_amount, self.most_amount)
        if amounts != (None, None) and self.currency is None:
            raise ValueError("an amount is one in a `currency`: name it")
        return self


class Held(_Model):
    """Points that are available; with `expiring`, those of them that expire within that time."""

    kind: Label = Field(description="The RewardPointId.")
    expiring: Period | None = None
    least: Number | None = None
    most: Ceiling | None = None


class Enrolled(_Model):
    """Since when, and by which store."""

    units: Labels | None = Field(default=None, description="Stores, by their operating unit.")
    within: Period | None = Field(default=None, description="The last days, months or years.")
    first: Day | None = Field(default=None, alias="from", description="The first day.")
    until: Day | None = Field(default=None, description="The last day.")


class Condition(_Model):
    """Who: every key that is given has to hold."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1})

    all_: tuple[Condition, ...] | None = Field(default=None, alias="all", min_length=1)
    any_: tuple[Condition, ...] | None = Field(default=None, alias="any", min_length=1)
    not_: Condition | None = Field(default=None, alias="not")
    programs: Names | None = Field(default=None, description="Joined one of them, or is in it.")
    tier: TierHeld | None = None
    groups: Labels | None = Field(default=None, description="Customer groups and affiliations.")
    sales: Bought | None = None
    idle: Period | None = Field(default=None, description="No sale for so long, or never one.")
    points: Held | None = None
    enrolled: Enrolled | None = None
    customer: YesNo | None = Field(default=None, description="Whether it is known whose card it is")

    @model_validator(mode="after")
    def _says_something(self) -> Condition:
        if all(value is None for value in dict(self).values()):
            raise ValueError("a condition without a key holds for everybody: name one")
        return self

    def parts(self) -> Iterator[Condition]:
        """This condition and all within it."""
        yield self
        inner = (*(self.all_ or ()), *(self.any_ or ()), *((self.not_,) if self.not_ else ()))
        for one in inner:
            yield from one.parts()


class SegmentDocument(_Model):
    """A saved query over the holders of cards."""

    segment: Name
    title: Annotated[str, Field(max_length=200)] = ""
    of: Of = Field(default=Of.CARD, description="Each card by itself, or all of its customer.")
    kept: YesNo = Field(
        default=False, description="Marked in the ledger, and kept up to date every day."
    )
    who: Condition

    @model_validator(mode="after")
    def _not_too_long(self) -> SegmentDocument:
        labels = sum(
            len(listed)
            for part in self.who.parts()
            for holder in (part, part.tier, part.sales, part.enrolled)
            if holder is not None
            for listed in dict(holder).values()
            if isinstance(listed, tuple)
        )
        if labels > MOST_LABELS:
            raise ValueError(f"it lists {labels} names, {MOST_LABELS} fit: put them into a group")
        return self

    def kept_text(self) -> str:
        """The document as JSON text, the same for the same meaning; `parsed` reads it again."""
        data = self.model_dump(mode="python", by_alias=True, exclude_defaults=True)
        return json.dumps(data, default=_plain, sort_keys=True, ensure_ascii=False)

    @classmethod
    def parsed(cls, kept: str) -> SegmentDocument:
        """A document from the text of `kept_text`."""
        return cls.model_validate(json.loads(kept, parse_float=Decimal))


def _plain(value: object) -> object:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return str(value)
