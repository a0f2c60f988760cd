"""A loyalty program as its author wrote it.

Owns: the form of one program file, from which the JSON Schema is made as well.
Never does: judging what it says (`checks.py`), looking into a ledger.
Tested in: tests/unit/ledger/programs/test_document.py, test_wrong_documents.py.
"""

from __future__ import annotations

import json
import re
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from connector.ledger.fields import EMPTY_DATE, LAST_DATE

NAME = r"^[a-z0-9][a-z0-9-]*$"
PERIOD = r"^[1-9][0-9]{0,3} (day|month|year)s?$"
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
MOST = 1_000_000_000
DECIMALS = 4


def _day(value: object) -> date:
    if isinstance(value, date):
        return value
    try:
        if isinstance(value, str) and _DAY.fullmatch(value):
            day = date.fromisoformat(value)
            if EMPTY_DATE < day <= LAST_DATE:
                return day
    except ValueError:
        pass
    raise PydanticCustomError("day", "no day")


def _number(value: object) -> object:
    # Neither a text nor a binary fraction: what is written is what is counted with.
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return value
    raise PydanticCustomError("number", "no number")


def _label(value: object) -> object:
    """Numbers of products and stores look like numbers to YAML."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


Name = Annotated[str, Field(pattern=NAME, max_length=32)]
Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
Number = Annotated[
    Decimal,
    BeforeValidator(_number),
    Field(gt=0, le=MOST, decimal_places=DECIMALS),
    WithJsonSchema({"type": "number", "exclusiveMinimum": 0, "maximum": MOST}),
]
Day = Annotated[
    date, BeforeValidator(_day), WithJsonSchema({"type": "string", "pattern": r"^\d{4}-\d\d-\d\d$"})
]
Label = Annotated[
    str,
    BeforeValidator(_label),
    Field(min_length=1, max_length=128),
    WithJsonSchema({"type": ["string", "integer"], "minLength": 1, "maxLength": 128}),
]
Labels = Annotated[tuple[Label, ...], Field(min_length=1)]
Names = Annotated[tuple[Name, ...], Field(min_length=1)]


class Members(StrEnum):
    """Whose cards a program is for."""

    ALL = "all"
    JOINED = "joined"


class Mixed(StrEnum):
    """What a sale earns of which a part was paid with points."""

    NO = "no"
    REST = "rest"
    YES = "yes"


class By(StrEnum):
    """What a rule counts."""

    AMOUNT = "amount"
    QUANTITY = "quantity"
    SALE = "sale"
    ACTIVITY = "activity"


class Step(StrEnum):
    """Whether only each full `every` counts."""

    EXACT = "exact"
    WHOLE = "whole"


class Weekday(StrEnum):
    """In the order of `date.weekday`."""

    MONDAY = "monday"
    TUESDAY = "tuesday"
    WEDNESDAY = "wednesday"
    THURSDAY = "thursday"
    FRIDAY = "friday"
    SATURDAY = "saturday"
    SUNDAY = "sunday"


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, validate_by_name=False)


class Circumstances(_Model):
    """Who, where and when. Each key is asked for; of its entries one is enough."""

    groups: Labels | None = Field(default=None, description="Customer groups and affiliations.")
    tiers: Names | None = Field(default=None, description="Tiers of this program.")
    channels: Labels | None = None
    weekdays: Annotated[tuple[Weekday, ...], Field(min_length=1)] | None = None
    first: Day | None = Field(default=None, alias="from", description="The first day.")
    until: Day | None = Field(default=None, description="The last day.")


class Exceptions(Circumstances):
    """What does not count, and when a rule does not hold."""

    products: Labels | None = None
    categories: Labels | None = None
    offers: Labels | None = Field(
        default=None, description="Discounts or offers lines are sold under."
    )
    units: Labels | None = Field(default=None, description="Stores, by their operating unit.")
    payments: Labels | None = Field(default=None, description="Means of payment.")
    activities: Labels | None = Field(
        default=None, description="What was done, `by: activity` only."
    )


class Conditions(Exceptions):
    """What counts, and when a rule holds."""

    least_amount: Number | None = Field(
        default=None, alias="least-amount", description="Of the lines that count, in one sale."
    )
    least_quantity: Number | None = Field(
        default=None, alias="least-quantity", description="Of the lines that count, in one sale."
    )


class Tier(_Model):
    """A tier, and what it takes to hold it."""

    tier: Name
    title: str = Field(default="", max_length=200)
    level: int = Field(ge=1, le=1000, strict=True, description="The highest one held counts.")
    points: Number = Field(description="Earned within the time, less what returns took back.")
    kind: Label = Field(description="The RewardPointId of the points that are counted.")
    within: str | None = Field(
        default=None,
        pattern=PERIOD,
        description="How long earned points count; ever, if not given.",
    )


class Rule(_Model):
    """What earns points."""

    rule: Name
    title: str = Field(default="", max_length=200)
    by: By
    every: Number = Field(
        default=Decimal(1),
        description="Points for each so much; for `by: sale`, each so many sales.",
    )
    step: Step = Field(default=Step.EXACT, description="`whole`: only each full `every` counts.")
    currency: Currency | None = Field(default=None, description="Only sales in this currency.")
    points: Number
    kind: Label = Field(description="The RewardPointId.")
    for_: Conditions = Field(default=Conditions(), alias="for")
    not_for: Exceptions = Field(default=Exceptions(), alias="not-for")


class Redeem(_Model):
    """What points pay."""

    kind: Label = Field(description="The RewardPointId.")
    currency: Currency
    points: Number
    worth: Number = Field(description="What so many points pay, in the currency.")
    for_: Circumstances = Field(default=Circumstances(), alias="for")
    not_for: Circumstances = Field(default=Circumstances(), alias="not-for")


class Use(_Model):
    """An installed extension and its settings."""

    use: Name
    with_: dict[str, Any] = Field(default={}, alias="with")


class ProgramDocument(_Model):
    """A loyalty program."""

    program: Name
    title: str = Field(default="", max_length=200)
    members: Members = Field(default=Members.ALL, description="Every card, or those that joined.")
    pooled: bool = Field(
        default=False,
        strict=True,
        description="Tiers count the points, and rules the sales, of all cards of a customer and "
        "of the household.",
    )
    excluded: Labels | None = Field(default=None, description="Groups that earn nothing.")
    mixed: Mixed = Field(
        default=Mixed.NO,
        description="What a sale earns of which a part was paid with points: nothing, the rest "
        "of it, or all of it.",
    )
    tiers: tuple[Tier, ...] = ()
    earn: tuple[Rule, ...] = ()
    redeem: tuple[Redeem, ...] = ()
    extensions: tuple[Use, ...] = ()

    def kept(self) -> str:
        """The document as JSON text, the same for the same meaning; `parsed` reads it again."""
        data = self.model_dump(mode="python", by_alias=True, exclude_defaults=True)
        return json.dumps(data, default=_plain, sort_keys=True, ensure_ascii=False)

    @classmethod
    def parsed(cls, kept: str) -> ProgramDocument:
        """A document from the text of `kept`."""
        return cls.model_validate(json.loads(kept, parse_float=Decimal))


def _plain(value: object) -> object:
    if isinstance(value, Decimal):
        whole = value == value.to_integral_value()
        return int(value) if whole else float(value)
    return str(value)
