"""What every transform of a map has: a form, the types it takes and gives, a way back.

Owns: the base of all steps.
Never does: any one transform (`steps.py`, `step_tables.py`); bringing values into the types a step
takes (`route.py`).
Tested in: tests/unit/mapping/test_steps.py.
"""

from __future__ import annotations

from typing import ClassVar, NamedTuple, TypeAlias

from pydantic import BaseModel, ConfigDict, RootModel, StrictBool, StrictInt, StrictStr

from connector.mapping.columns import Column
from connector.mapping.transforms import translate
from connector.mapping.transforms.translate import Translation
from connector.mapping.values import Side, ValueType

Scalar: TypeAlias = StrictBool | StrictInt | StrictStr | float
"""A value as a map file writes it."""

NO_WAY_BACK = "transform-no-way-back"


class Place(NamedTuple):
    """Where a step stands: in a list that begins at `start`, between two columns."""

    start: Side
    here: Column
    """What it reads, nearer to the start."""
    there: Column
    """What it makes, nearer to the end."""

    def on(self, side: Side) -> Column:
        """The column nearer to this side."""
        return self.here if side is self.start else self.there


class Transform:
    """One step on the way of a value."""

    takes: ClassVar[ValueType | None] = ValueType.TEXT
    """None: whatever comes."""
    gives: ClassVar[ValueType] = ValueType.TEXT
    idle_back: ClassVar[bool] = False
    """On the way back a value stays as it is."""

    @property
    def returns(self) -> bool:
        """Whether there is a way back, as far as the map alone tells."""
        return True

    def entry(self, column: Column) -> Column:
        """What the step reads where `column` comes before it."""
        if self.takes is None or column.type is self.takes:
            return column
        return Column(column.name, self.takes)

    def exit(self, here: Column, wanted: Column) -> Column:  # noqa: ARG002
        """What the step makes of `here`, where `wanted` is what comes next."""
        return Column(here.name, self.gives)

    def ahead(self, at: Place) -> Translation:
        """From `here` to `there`.

        Raises `Untranslatable` where the step does not fit the columns.
        """
        raise NotImplementedError

    def back(self, at: Place) -> Translation:
        """From `there` back to `here`; asked for only where `returns`."""
        raise NotImplementedError


class WordStep(RootModel[str], Transform):
    """A transform without settings, written as its name."""

    model_config = ConfigDict(frozen=True)


class TableStep(BaseModel, Transform):
    """A transform with settings: a table with its name as the key."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class CleaningStep(Transform):
    """Cleans a text on the way ahead; what a person wrote at the far end comes back as it is."""

    idle_back = True

    def back(self, _at: Place) -> Translation:
        """As it is."""
        return translate.identity
