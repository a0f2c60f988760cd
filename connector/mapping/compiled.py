"""A map that runs.

Owns: fields, groups and column lists prepared for planning over images.
Never does: reading documents or metadata; `compiler.py` makes these.
Tested in: tests/unit/mapping/test_compiled.py.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from connector.mapping.columns import Column
from connector.mapping.document import MapDocument, Policy
from connector.mapping.filters import RowFilter
from connector.mapping.references import Lookup, TargetMissing
from connector.mapping.route import Leg
from connector.mapping.translate import Translation, Untranslatable, identity
from connector.mapping.values import Image, Side, Value, normal_key, visible

NO_KEY = "(no key)"
"""How the key of a row is spelled that has none."""


@dataclass(frozen=True, slots=True)
class Joined:
    """Several columns of commerce read as one text; those without a value are left out."""

    places: tuple[int, ...]
    texts: tuple[Translation, ...]
    by: str

    def read(self, image: Image) -> Value:
        """The text; None where no column holds a value."""
        pairs = zip(self.places, self.texts, strict=True)
        parts = [text(image[place]) for place, text in pairs]
        return self.by.join(str(part) for part in parts if part is not None) or None


@dataclass(frozen=True, slots=True)
class Field:
    """One row of the map, ready to run. An index of -1 means: no column on that side."""

    name: str
    commerce: str | None
    dataverse: str | None
    commerce_index: int
    dataverse_index: int
    to_dataverse: bool
    to_commerce: bool
    forward: Translation
    """Commerce value to Dataverse value; raises `Untranslatable` or `TargetMissing`."""
    backward: Translation
    key: bool
    lookup: Lookup | None
    plain: bool
    """Both sides hold the value in the same form: equal values need no translation."""
    measure: Translation = identity
    """What of a value counts when two are compared, such as the date of an instant."""
    named: Translation = identity
    """Commerce value to the text a lookup is found by; raises `Untranslatable`."""
    ways: Mapping[Side, Sequence[Leg]] = dataclasses.field(default_factory=dict, compare=False)
    """The way to each side piece by piece, for people; `forward` and `backward` run it whole."""
    joined: Joined | None = None
    """What is read of commerce where that is no one column; each of them has a field of its own
    in the group, which writes nothing."""

    def index(self, side: Side) -> int:
        """Where the value stands in the side's image."""
        return self.commerce_index if side is Side.COMMERCE else self.dataverse_index

    def column(self, side: Side) -> str | None:
        """The column's name on this side."""
        return self.commerce if side is Side.COMMERCE else self.dataverse

    def read(self, side: Side, image: Image) -> Value:
        """What the field holds on a side."""
        if self.joined is not None and side is Side.COMMERCE:
            return self.joined.read(image)
        index = self.index(side)
        return image[index] if index >= 0 else None

    def travels_to(self, side: Side) -> bool:
        """Whether edits of the other side are written to this one."""
        return self.to_commerce if side is Side.COMMERCE else self.to_dataverse

    def translation_to(self, side: Side) -> Translation:
        """The translation into this side's form."""
        return self.backward if side is Side.COMMERCE else self.forward

    def same(self, commerce: Value, dataverse: Value) -> bool:
        """Whether the two values are equal under the map, within the columns' facets."""
        if self.plain and commerce == dataverse:
            return True
        if self.key:
            return normal_key(commerce) == normal_key(dataverse)
        return (self.to_dataverse and self._gives(self.forward, commerce, dataverse)) or (
            self.to_commerce and self._gives(self.backward, dataverse, commerce)
        )

    def same_in(self, commerce: Image, dataverse: Image) -> bool:
        """The same for the values two images hold."""
        return self.same(
            self.read(Side.COMMERCE, commerce),
            dataverse[self.dataverse_index] if self.dataverse_index >= 0 else None,
        )

    def _gives(self, translation: Translation, value: Value, wanted: Value) -> bool:
        try:
            return self.measure(translation(value)) == self.measure(wanted)
        except (Untranslatable, TargetMissing):
            return False


@dataclass(frozen=True, slots=True)
class Group:
    """Fields that merge, conflict and resolve as one value; most groups have one field."""

    name: str
    fields: tuple[Field, ...]
    policy: Policy

    def travels_to(self, side: Side) -> bool:
        """Whether edits of the other side are written to this one."""
        return self.fields[0].travels_to(side)

    def same(self, commerce: Image, dataverse: Image) -> bool:
        """Whether both images hold the same value of this group under the map."""
        return all(field.same_in(commerce, dataverse) for field in self.fields)

    def changed(self, side: Side, image: Image, agreed: Image) -> bool:
        """Whether a side differs from its own half of the agreed pair."""
        for field in self.fields:
            index = field.index(side)
            if index >= 0 and image[index] != agreed[index]:
                return True
        return False

    def blank(self, side: Side, image: Image) -> bool:
        """Whether a side holds nothing in this group; the giver of a constant is not blank."""
        indexes = [f.index(side) for f in self.fields if f.index(side) >= 0]
        return bool(indexes) and all(image[index] is None for index in indexes)

    def values(self, side: Side, image: Image) -> dict[str, Value]:
        """The side's own values of this group by column name."""
        return {
            column: image[field.index(side)]
            for field in self.fields
            if (column := field.column(side)) is not None
        }


@dataclass(frozen=True, slots=True)
class Creation:
    """Everything a create on one side needs, laid out so that a record costs one pass."""

    groups: tuple[Group, ...]
    """The groups that travel to this side and may be set when a row is made."""
    steps: tuple[tuple[str, int, Translation], ...]
    """(column, index in the other side's image or -1, translation) of their fields."""
    joins: tuple[tuple[str, Joined, Translation], ...]
    """The same of fields that read several columns."""
    whole: bool
    """Every group of the map is carried, so that both sides agree by the create alone."""

    @classmethod
    def on(cls, target: Side, groups: tuple[Group, ...], columns: Sequence[Column]) -> Creation:
        """For one side of a map, whose image has these columns."""
        travelling = tuple(
            group
            for group in groups
            if group.travels_to(target)
            and all(
                columns[field.index(target)].creatable
                for field in group.fields
                if field.index(target) >= 0
            )
        )
        written = [
            (column, field)
            for group in travelling
            for field in group.fields
            if (column := field.column(target)) is not None
        ]
        steps = tuple(
            (column, field.index(target.other), field.translation_to(target))
            for column, field in written
            if field.joined is None
        )
        joins = tuple(
            (column, field.joined, field.translation_to(target))
            for column, field in written
            if field.joined is not None
        )
        return cls(travelling, steps, joins, len(travelling) == len(groups))

    def values(self, source: Image) -> dict[str, Value]:
        """The new record's values by column, nulls left out.

        Raises `Untranslatable` or `TargetMissing` for the first value that cannot travel.
        """
        values: dict[str, Value] = {}
        for column, index, translation in self.steps:
            value = translation(source[index] if index >= 0 else None)
            if value is not None:
                values[column] = value
        for column, joined, translation in self.joins:
            value = translation(joined.read(source))
            if value is not None:
                values[column] = value
        return values


def places_of(groups: Iterable[Group], side: Side) -> dict[int, int]:
    """The place in `groups` by the place in the side's image."""
    return {
        field.index(side): place
        for place, group in enumerate(groups)
        for field in group.fields
        if field.index(side) >= 0
    }


@dataclass(frozen=True, slots=True)
class CompiledMap:
    """A map that runs: fields in document order, their groups, and the column lists."""

    document: MapDocument
    fields: tuple[Field, ...]
    groups: tuple[Group, ...]
    columns: Mapping[Side, tuple[Column, ...]]
    keys: Mapping[Side, tuple[int, ...]]
    lookups: tuple[Lookup, ...]
    places: Mapping[Side, Mapping[int, int]]
    """Which of `groups` a place in the side's image belongs to."""
    creations: Mapping[Side, Creation]
    """How a record is made on a side out of the other side's image."""
    inactive: Mapping[Side, tuple[int, Value]]
    """Where `deactivate` is possible: image index of the active mark, and its inactive value."""
    filters: Mapping[Side, RowFilter]
    """Which rows of a side the map takes; a side without a filter has all its rows taken."""

    @property
    def name(self) -> str:
        """The map's name."""
        return self.document.map

    @property
    def master(self) -> Side:
        """The side that wins at first contact and where nothing else decides."""
        return self.document.master

    def with_master(self, master: Side) -> CompiledMap:
        """The same map under another master, for one load."""
        return replace(self, document=self.document.model_copy(update={"master": master}))

    def entity(self, side: Side) -> str:
        """The entity set on this side."""
        return self.document.end(side).entity

    def column_names(self, side: Side) -> tuple[str, ...]:
        """Columns to be read on this side, in image order."""
        return tuple(column.name for column in self.columns[side])

    def changed(self, side: Side, image: Image, half: Image) -> set[int]:
        """Which of `groups` differ between an image and the side's half of the agreed pair."""
        if image == half:
            return set()
        places = self.places[side]
        pairs = enumerate(zip(image, half, strict=True))
        return {places[at] for at, (now, then) in pairs if now != then and at in places}

    def key_of(self, side: Side, image: Image) -> str | None:
        """The normalised key of an image; None where a part is null or has a control character."""
        indexes = self.keys[side]
        if len(indexes) == 1:
            return normal_key(image[indexes[0]])
        return normal_key(*(image[index] for index in indexes))

    def spelled_key(self, side: Side, image: Image) -> str:
        """The key as the side spells it, for people; `NO_KEY` where the row has none."""
        parts = [image[index] for index in self.keys[side]]
        if any(part is None for part in parts):
            return NO_KEY
        return " / ".join(visible(str(part)) for part in parts)

    def creates_on(self, side: Side) -> bool:
        """Whether records of the other side are created on this one."""
        return all(field.travels_to(side) for field in self.fields if field.key)
