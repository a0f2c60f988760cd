"""The way of a value from one column to the other, through the steps of its row.

Owns: which type stands between two steps, and the conversions to get there.
Never does: knowing what a step does; writing findings, the compiler adds the place.
Tested in: tests/unit/mapping/test_steps.py, tests/unit/mapping/test_round_trip.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

from connector.mapping.columns import Column
from connector.mapping.rows import FieldRow
from connector.mapping.transforms import translate
from connector.mapping.transforms.conversions import conversion
from connector.mapping.transforms.scalars import canonical
from connector.mapping.transforms.step import Place, Transform
from connector.mapping.transforms.steps import name_of
from connector.mapping.transforms.translate import Translation, Untranslatable
from connector.mapping.values import Side, ValueType

Spot: TypeAlias = tuple[str | int, ...]
"""A part of a row."""


class Leg(NamedTuple):
    """One piece of the way, and what it is called to people."""

    name: str
    run: Translation


class Impassable(Exception):
    """A row whose values cannot get from one column to the other; `at` is the part to blame."""

    def __init__(self, at: Spot, error: Untranslatable) -> None:
        super().__init__(error.message)
        self.at = at
        self.error = error


def way(row: FieldRow, target: Side, commerce: Column, dataverse: Column) -> list[Leg]:
    """Every piece of the way to `target` that does something, without fitting it there.

    Raises `Impassable`: `type-mismatch`, `value-wrong-type`, `choice-missing`,
    `transform-no-way-back`, `transform-unknown`, `transform-broken`.
    """
    back = row.steps_back()
    if target is Side.DATAVERSE:
        route = _Route(row, Side.COMMERCE, row.steps(), commerce, dataverse)
        legs = route.ahead()
    elif back is not None:
        route = _Route(row, Side.DATAVERSE, back, dataverse, commerce)
        legs = route.ahead()
    else:
        route = _Route(row, Side.COMMERCE, row.steps(), commerce, dataverse)
        legs = route.back()
    written = row.default.of(target) if row.default is not None else None
    if written is not None:
        end = dataverse if target is Side.DATAVERSE else commerce
        try:
            legs.append(Leg("default", translate.default(canonical(written, end))))
        except Untranslatable as error:
            raise Impassable(("default",), error) from None
    return [leg for leg in legs if leg.run is not translate.identity]


def run(legs: Sequence[Leg]) -> Translation:
    """One translation of all of them."""
    return translate.chain(*(leg.run for leg in legs))


class _Stop(NamedTuple):
    """A step between the column before it, the one it reads and the one it makes."""

    at: Spot
    step: Transform
    before: Column
    here: Column
    there: Column


class _Route:
    def __init__(
        self,
        row: FieldRow,
        start: Side,
        steps: Sequence[tuple[Spot, Transform]],
        source: Column,
        target: Column,
    ) -> None:
        self.row = row
        self.start = start
        self.source = source
        self.target = target
        self.stops: list[_Stop] = []
        before = source
        for index, (at, step) in enumerate(steps):
            here = step.entry(before)
            following = (later.takes for _, later in steps[index + 1 :] if later.takes is not None)
            taken = next(following, None)
            wanted = target if taken is None else Column(target.name, taken)
            there = step.exit(here, wanted)
            self.stops.append(_Stop(at, step, before, here, there))
            before = there
        self.last = before

    def ahead(self) -> list[Leg]:
        legs: list[Leg] = []
        for stop in self.stops:
            legs.append(self._converted(stop.at, stop.before, stop.here))
            legs.append(self._leg(stop, "ahead"))
        return [*legs, self._converted(self._end, self.last, self.target)]

    def back(self) -> list[Leg]:
        legs = [self._converted(self._end, self.target, self.last)]
        for stop in reversed(self.stops):
            legs.append(self._leg(stop, "back"))
            legs.append(self._converted(stop.at, stop.here, stop.before))
        return legs

    @property
    def _end(self) -> Spot:
        """What is to blame where the last column cannot take what comes."""
        if self.stops:
            return self.stops[-1].at
        return ("type",) if self.row.type is not None else ("commerce",)

    def _leg(self, stop: _Stop, direction: str) -> Leg:
        place = Place(self.start, stop.here, stop.there)
        try:
            made = stop.step.ahead(place) if direction == "ahead" else stop.step.back(place)
        except Untranslatable as error:
            raise Impassable(stop.at, error) from None
        return Leg(name_of(stop.step), made)

    def _converted(self, at: Spot, source: Column, target: Column) -> Leg:
        # Between a step and the column it was made to fit there is nothing to do.
        if source is target and self.stops:
            return Leg("", translate.identity)
        found = conversion(self.row.type, source, target)
        if found is None:
            raise Impassable(at, self._mismatch(source, target))
        return Leg(f"to {target.type}", found)

    def _mismatch(self, source: Column, target: Column) -> Untranslatable:
        if self.stops:
            by_table = {ValueType.CHOICE, ValueType.BOOLEAN} & {source.type, target.type}
            return Untranslatable(
                "type-mismatch",
                f"between `{self.source.name}` and `{self.target.name}` {source.type} would have "
                f"to become {target.type}",
                "a choice or a boolean becomes another type by a step `values`"
                if by_table
                else "add the step between them that makes one of the other, or map another column",
            )
        compared = f", compared as {self.row.type}" if self.row.type is not None else ""
        return Untranslatable(
            "type-mismatch",
            f"`{source.name}` ({source.type}) cannot become `{target.name}` ({target.type})"
            + compared,
            "add `values`, a dotted lookup, or a `type` both sides can take",
        )
