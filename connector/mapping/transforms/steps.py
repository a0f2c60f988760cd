"""The transforms a map can name, each one class: how it is written, what it does, its way back.

Owns: the document model of a step, and which types it takes and gives.
Never does: bringing values into these types; `route.py` does.
Tested in: tests/unit/mapping/test_steps.py, tests/unit/mapping/test_transform_laws.py.

A new transform is a new class here, a line in `STEPS` and `Step`, and a row in docs/maps.md.
"""

from __future__ import annotations

import difflib
from decimal import Decimal
from typing import Annotated, Any, Literal, Self, TypeAlias
from zoneinfo import ZoneInfo, available_timezones

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    StrictFloat,
    StrictInt,
    StrictStr,
    Tag,
    model_validator,
)

from connector.mapping.columns import Column
from connector.mapping.findings import Contradiction
from connector.mapping.transforms import functions, translate
from connector.mapping.transforms.custom import load_transform
from connector.mapping.transforms.step import (
    NO_WAY_BACK,
    CleaningStep,
    Place,
    TableStep,
    Transform,
    WordStep,
)
from connector.mapping.transforms.step_tables import DefaultStep, Values
from connector.mapping.transforms.translate import Translation, Untranslatable
from connector.mapping.values import ValueType


class Trim(CleaningStep, WordStep):
    """Blanks at both ends are taken off."""

    root: Literal["trim"]

    def ahead(self, _at: Place) -> Translation:
        """Without the blanks."""
        return functions.text_step(str.strip)


class Case(CleaningStep, TableStep):
    """All letters become capital or small ones."""

    case: Literal["upper", "lower"]

    def ahead(self, _at: Place) -> Translation:
        """In the one case."""
        return functions.text_step(str.upper if self.case == "upper" else str.lower)


class Truncate(CleaningStep, TableStep):
    """A longer text is cut after so many characters."""

    truncate: StrictInt = Field(ge=1, le=1_048_576)

    def ahead(self, _at: Place) -> Translation:
        """What the column counts as that many characters."""
        return functions.cut(self.truncate)


class Parting(BaseModel):
    """Where a text is parted, and which part is meant, from 1, or from the end below 0."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    by: StrictStr = Field(min_length=1)
    part: StrictInt

    @model_validator(mode="after")
    def _counted(self) -> Self:
        if self.part == 0:
            raise Contradiction(
                "there is no part 0",
                "part",
                remedy="write 1 for the first part, -1 for the last",
            )
        return self


class Split(TableStep):
    """One part of a text; the rest does not travel, so there is no way back."""

    split: Parting

    @property
    def returns(self) -> bool:
        """Never."""
        return False

    def ahead(self, _at: Place) -> Translation:
        """The part."""
        return functions.part_of(self.split.by, self.split.part)


class Pattern(BaseModel):
    """What is looked for, and what stands in its place."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    match: StrictStr = Field(min_length=1, max_length=1000)
    replace: StrictStr = Field(max_length=1000)

    @model_validator(mode="after")
    def _usable(self) -> Self:
        try:
            self.run()
        except functions.BadPattern as error:
            raise Contradiction(
                str(error), error.part, code="regex-unusable", remedy=error.remedy
            ) from error
        return self

    def run(self) -> Translation:
        """The replacement; raises `BadPattern`."""
        return functions.substitution(self.match, self.replace)


class PatternBothWays(Pattern):
    """A pattern, and what undoes it."""

    back: Pattern | None = None


class Regex(TableStep):
    """Every match of a pattern is replaced; the way back is another pattern."""

    regex: PatternBothWays

    @property
    def returns(self) -> bool:
        """Where `back` is given."""
        return self.regex.back is not None

    def ahead(self, _at: Place) -> Translation:
        """Every match replaced."""
        return self.regex.run()

    def back(self, _at: Place) -> Translation:
        """Every match of `back` replaced."""
        assert self.regex.back is not None
        return self.regex.back.run()


class Scale(TableStep):
    """A number times a factor; the way back divides."""

    takes = ValueType.DECIMAL
    gives = ValueType.DECIMAL

    scale: StrictInt | Annotated[StrictFloat, Field(allow_inf_nan=False)]

    @model_validator(mode="after")
    def _usable(self) -> Self:
        if self.scale == 0:
            raise Contradiction(
                "a factor of 0 makes every number the same",
                "scale",
                remedy="write what a commerce value is multiplied by",
            )
        return self

    def ahead(self, _at: Place) -> Translation:
        """Multiplied."""
        return functions.times(Decimal(str(self.scale)))

    def back(self, _at: Place) -> Translation:
        """Divided."""
        return functions.divided_by(Decimal(str(self.scale)))


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        near = difflib.get_close_matches(name, sorted(available_timezones()), n=1)
        raise Contradiction(
            f"there is no time zone `{name}`",
            code="time-zone-unknown",
            remedy=f"write `{near[0]}`" if near else "write one such as `Europe/Berlin`",
        ) from None
    return name


class Zone(BaseModel):
    """Whose clock and calendar are meant."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    zone: Annotated[StrictStr, AfterValidator(_known_zone)] = Field(
        description="IANA time zone, e.g. Europe/Berlin."
    )


class Instant(TableStep):
    """A local date or time becomes the instant it was in a time zone, and back."""

    takes = ValueType.INSTANT
    gives = ValueType.INSTANT

    instant: Zone

    def entry(self, column: Column) -> Column:
        """A text is read as a local time as well."""
        return column if column.type is ValueType.TEXT else super().entry(column)

    def ahead(self, at: Place) -> Translation:
        """From the clock on the wall to UTC."""
        move = functions.to_instant(ZoneInfo(self.instant.zone))
        if at.here.type is ValueType.TEXT:
            return translate.chain(functions.read_wall_clock, move)
        return move

    def back(self, at: Place) -> Translation:
        """From UTC to the clock on the wall."""
        move = functions.to_wall_clock(ZoneInfo(self.instant.zone))
        if at.here.type is ValueType.TEXT:
            return translate.chain(move, functions.write_wall_clock)
        return move


class Day(TableStep):
    """An instant becomes the day it falls on in a time zone; back, the instant that day begins."""

    takes = ValueType.INSTANT
    gives = ValueType.DATE

    date: Zone

    def ahead(self, _at: Place) -> Translation:
        """The day in the zone."""
        return functions.to_day(ZoneInfo(self.date.zone))

    def back(self, _at: Place) -> Translation:
        """The midnight the day begins at."""
        return functions.to_midnight(ZoneInfo(self.date.zone))


class Custom(TableStep):
    """A transform of an installed package, by the name of its entry point."""

    custom: StrictStr = Field(min_length=1)

    def ahead(self, _at: Place) -> Translation:
        """By the package."""
        return load_transform(self.custom).forward

    def back(self, _at: Place) -> Translation:
        """By the package, if it knows the way."""
        loaded = load_transform(self.custom)
        if loaded.back is None:
            raise Untranslatable(
                NO_WAY_BACK,
                f"the transform `{self.custom}` has no way back",
                "let the row go one way (`>>`), or write the way back as `back`",
            )
        return loaded.back


# ------------------------------------------------------------------------------ any of them

STEPS: dict[str, type[Transform]] = {
    "trim": Trim,
    "case": Case,
    "truncate": Truncate,
    "split": Split,
    "regex": Regex,
    "scale": Scale,
    "instant": Instant,
    "date": Day,
    "values": Values,
    "default": DefaultStep,
    "custom": Custom,
}


def _named(written: Any) -> str | None:
    """Which transform is meant by what stands in the file."""
    if isinstance(written, str):
        return written
    if isinstance(written, dict):
        names = [str(key) for key in written if key != "unmatched" or "values" not in written]
        return names[0] if len(names) == 1 else None
    return next((name for name, kind in STEPS.items() if isinstance(written, kind)), None)


Step: TypeAlias = Annotated[
    Annotated[Trim, Tag("trim")]
    | Annotated[Case, Tag("case")]
    | Annotated[Truncate, Tag("truncate")]
    | Annotated[Split, Tag("split")]
    | Annotated[Regex, Tag("regex")]
    | Annotated[Scale, Tag("scale")]
    | Annotated[Instant, Tag("instant")]
    | Annotated[Day, Tag("date")]
    | Annotated[Values, Tag("values")]
    | Annotated[DefaultStep, Tag("default")]
    | Annotated[Custom, Tag("custom")],
    Discriminator(_named),
]
"""One entry of `transform` or `back`."""


SETTINGS: tuple[type[BaseModel], ...] = (Parting, PatternBothWays, Zone)
"""The tables of settings below the steps."""


def name_of(step: Transform) -> str:
    """The word a step is written with."""
    return next(name for name, kind in STEPS.items() if type(step) is kind)
