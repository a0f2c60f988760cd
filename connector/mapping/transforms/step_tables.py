"""The transforms that go by a table or by nothing: value maps, and defaults for no value.

Owns: `values` with what becomes of a value that is not in the map, and `default`.
Never does: other transforms (`steps.py`).
Tested in: tests/unit/mapping/test_steps.py, tests/unit/mapping/test_round_trip.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, TypeAlias

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from connector.mapping.columns import Column
from connector.mapping.findings import Contradiction
from connector.mapping.transforms import translate
from connector.mapping.transforms.conversions import conversion
from connector.mapping.transforms.scalars import canonical
from connector.mapping.transforms.step import Place, Scalar, TableStep
from connector.mapping.transforms.translate import Translation, Untranslatable
from connector.mapping.values import Side, Value


class BySide(BaseModel):
    """A value for each side that may need one."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    commerce: Scalar | None = None
    dataverse: Scalar | None = None

    def of(self, side: Side) -> Scalar | None:
        """The value of one side."""
        return self.commerce if side is Side.COMMERCE else self.dataverse


class Default(BySide):
    """The value a side gets when the other side has none."""


FAIL = "fail"
"""Said of a side, a value without a counterpart is meant to set its record aside."""


class Unmatched(BySide):
    """What a side gets for a value that is not in the value map.

    `fail`, or nothing, sets the record aside; `keep` takes the value as it is; any other value
    stands in.
    """


def _consistent(values: dict[str, Scalar]) -> dict[str, Scalar]:
    if not values:
        raise Contradiction(
            "the value map is empty",
            remedy="add `COMMERCE: DATAVERSE` for each value, or take it away",
        )
    if len({key.casefold() for key in values}) < len(values):
        raise Contradiction(
            "two commerce values differ only by case",
            remedy="keep one of them: commerce values are compared without case",
        )
    return values


ValueTable: TypeAlias = Annotated[
    dict[str, Scalar],
    AfterValidator(_consistent),
    Field(description="Commerce value to Dataverse value; one to one."),
]


def one_to_one(values: Mapping[str, Scalar]) -> bool:
    """Whether no two commerce values become the same."""
    return len({(type(value), value) for value in values.values()}) == len(values)


class Values(TableStep):
    """By a table, always written commerce value: Dataverse value."""

    takes = None

    values: ValueTable
    unmatched: Unmatched | None = None

    @property
    def returns(self) -> bool:
        """Where no two commerce values become the same."""
        return one_to_one(self.values)

    def exit(self, here: Column, wanted: Column) -> Column:  # noqa: ARG002
        """Whatever comes next."""
        return wanted

    def ahead(self, at: Place) -> Translation:
        """By the table, towards the far side."""
        return self._towards(at.start.other, at.on(Side.COMMERCE), at.on(Side.DATAVERSE))

    def back(self, at: Place) -> Translation:
        """By the table, towards the side the list begins at."""
        return self._towards(at.start, at.on(Side.COMMERCE), at.on(Side.DATAVERSE))

    def _towards(self, target: Side, commerce: Column, dataverse: Column) -> Translation:
        table: dict[Value, Value] = {}
        for symbol, scalar in self.values.items():
            left, right = canonical(symbol, commerce), canonical(scalar, dataverse)
            if target is Side.DATAVERSE:
                table[left] = right
            else:
                table.setdefault(right, left)
        source, end = commerce, dataverse
        if target is Side.COMMERCE:
            source, end = dataverse, commerce
        unknown = self._unmatched(target, source, end, ", ".join(map(str, table)))
        return translate.value_map(table, target is Side.DATAVERSE, unknown)

    def _unmatched(self, target: Side, source: Column, end: Column, known: str) -> Translation:
        written = self.unmatched.of(target) if self.unmatched else None
        if written is None or written == FAIL:
            return translate.unknown_choice(known)
        if written == "keep":
            kept = conversion(None, source, end)
            if kept is None:
                raise Untranslatable(
                    "type-mismatch",
                    f"a value of `{source.name}` ({source.type}) cannot be kept in "
                    f"`{end.name}` ({end.type})",
                    "write `fail`, or a value that stands in",
                )
            return kept
        return translate.constant(canonical(written, end))


class DefaultStep(TableStep):
    """No value becomes the default of the side the value goes to."""

    takes = None

    default: Default

    def exit(self, here: Column, wanted: Column) -> Column:  # noqa: ARG002
        """The same."""
        return here

    def ahead(self, at: Place) -> Translation:
        """Filled with the far side's default."""
        return self._filled(self.default.of(at.start.other), at.there)

    def back(self, at: Place) -> Translation:
        """Filled with the near side's default."""
        return self._filled(self.default.of(at.start), at.here)

    @staticmethod
    def _filled(written: Scalar | None, column: Column) -> Translation:
        if written is None:
            return translate.identity
        return translate.default(canonical(written, column))
