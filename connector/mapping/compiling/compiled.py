"""A map that runs.

Owns: what is prepared for planning over images: column lists, keys, creates.
Never does: reading documents or metadata; `compiler.py` makes these.
Tested in: tests/unit/mapping/test_compiled.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from connector.mapping.columns import Column
from connector.mapping.compiling.fields import Field as Field
from connector.mapping.compiling.fields import Group as Group
from connector.mapping.compiling.fields import Part, Whole
from connector.mapping.compiling.owning import ByCompany, Company
from connector.mapping.document import MapDocument
from connector.mapping.filters.conditions import RowFilter
from connector.mapping.references import Lookup
from connector.mapping.transforms.translate import Translation
from connector.mapping.values import Image, Side, Value, normal_key, visible

NO_KEY = "(no key)"
"""How the key of a row is spelled that has none."""


@dataclass(frozen=True, slots=True)
class Creation:
    """Everything a create on one side needs, laid out so that a record costs one pass."""

    target: Side
    groups: tuple[Group, ...]
    """The groups that travel to this side and may be set when a row is made."""
    steps: tuple[tuple[str, int, Translation], ...]
    """(column, index in the other side's image or -1, translation) of their fields."""
    joined: tuple[tuple[str, Field], ...]
    """(column, field) of joined columns, which take more than one value."""
    fixed: Mapping[str, Value]
    """What every new row gets beside its fields, such as its owner."""
    whole: bool
    """Every group of the map is carried, so that both sides agree by the create alone."""
    owner: ByCompany | None = None
    """Who owns a new row, where that goes by its company."""

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
            if not isinstance(field, Whole | Part)
        )
        joined = tuple(pair for pair in written if isinstance(pair[1], Whole | Part))
        return cls(target, travelling, steps, joined, {}, len(travelling) == len(groups))

    def beside(self, source: Image) -> dict[str, Value]:
        """What a new row gets beside its fields; raises `Untranslatable`."""
        return {**self.fixed, **self.owner.given(source)} if self.owner else dict(self.fixed)

    def values(self, source: Image) -> dict[str, Value]:
        """The new record's values by column, nulls left out.

        Raises `Untranslatable` or `TargetMissing` for the first value that cannot travel.
        """
        values = self.beside(source)
        for column, index, translation in self.steps:
            value = translation(source[index] if index >= 0 else None)
            if value is not None:
                values[column] = value
        for column, field in self.joined:
            value = field.arriving(self.target, source)
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
    company: Company | None = None
    """Which company a record belongs to, where a key row says so."""

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

    def with_owner(self, owner: Mapping[str, Value] | ByCompany) -> CompiledMap:
        """The same map, which gives every row it creates in Dataverse this owner."""
        made = self.creations[Side.DATAVERSE]
        if isinstance(owner, ByCompany):
            made = replace(made, owner=owner)
        else:
            made = replace(made, fixed=owner)
        return replace(self, creations={**self.creations, Side.DATAVERSE: made})

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

    def takes(self, side: Side, image: Image) -> bool:
        """Whether the side's filter, if it has one, takes a row with this image."""
        row_filter = self.filters.get(side)
        return row_filter is None or row_filter.admits(image)

    def key_of(self, side: Side, image: Image) -> str | None:
        """The normalised key of an image; None where a part is null or has a control character."""
        indexes = self.keys[side]
        if len(indexes) == 1:
            return normal_key(image[indexes[0]])
        return normal_key(*(image[index] for index in indexes))

    def first_part(self, key: str) -> str:
        """What the first key column holds under a key, spelled for people or in normal form."""
        if len(self.keys[Side.COMMERCE]) == 1:
            return key
        return key.partition("\x1f")[0].partition(" / ")[0]

    def spelled_key(self, side: Side, image: Image) -> str:
        """The key as the side spells it, for people; `NO_KEY` where the row has none."""
        parts = [image[index] for index in self.keys[side]]
        if None in parts:
            return NO_KEY
        if len(parts) == 1:
            return visible(str(parts[0]))
        return " / ".join(visible(str(part)) for part in parts)

    def creates_on(self, side: Side) -> bool:
        """Whether records of the other side are created on this one."""
        return all(field.travels_to(side) for field in self.fields if field.key)
