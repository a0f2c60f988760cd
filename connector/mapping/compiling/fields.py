"""The fields of a map that runs, and the groups they merge in.

Owns: reading a field of an image, translating it, comparing it; also where several columns of
commerce are one value of Dataverse.
Never does: reading documents or metadata; `row_compiler.py` and `joined_rows.py` make these.
Tested in: tests/unit/mapping/test_compiled.py, tests/unit/mapping/test_joined_fields.py.

Columns that are one value on the other side are a `Whole` and a `Part` for each of them, in one
group: the whole is what Dataverse gets, the parts are what commerce gets. Nothing merges apart.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from connector.mapping.document import Policy
from connector.mapping.references import Lookup, TargetMissing
from connector.mapping.transforms.joining import Joining, Parts
from connector.mapping.transforms.route import Leg
from connector.mapping.transforms.translate import Translation, Untranslatable, identity
from connector.mapping.values import Image, Side, Value, normal_key

MODIFIED_BY = "modifiedby"
"""The lookup of Dataverse to who changed a row last; our own users are left out of it."""


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

    def index(self, side: Side) -> int:
        """Where the value stands in the side's image."""
        return self.commerce_index if side is Side.COMMERCE else self.dataverse_index

    def column(self, side: Side) -> str | None:
        """The column's name on this side."""
        return self.commerce if side is Side.COMMERCE else self.dataverse

    def read(self, side: Side, image: Image) -> Value:
        """What the field holds on a side."""
        index = self.index(side)
        return image[index] if index >= 0 else None

    def travels_to(self, side: Side) -> bool:
        """Whether edits of the other side are written to this one."""
        return self.to_commerce if side is Side.COMMERCE else self.to_dataverse

    def translation_to(self, side: Side) -> Translation:
        """The translation into this side's form."""
        return self.backward if side is Side.COMMERCE else self.forward

    def arriving(self, target: Side, source: Image) -> Value:
        """What the other side's image gives for the column of `target`.

        Raises `Untranslatable` or `TargetMissing`.
        """
        return self.translation_to(target)(self.read(target.other, source))

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


@dataclass(frozen=True, slots=True, eq=False)
class Context:
    """A part that says where a row is looked for: a column of commerce with a row of its own."""

    place: int
    """Which of the parts."""
    field: Field
    text: Translation
    """What commerce holds there, as text."""


@dataclass(frozen=True, slots=True, eq=False)
class Joint:
    """Several columns of commerce that are one column of Dataverse."""

    places: tuple[int, ...]
    """Where the image of commerce holds the parts."""
    texts: tuple[Translation, ...]
    """What each of them holds, as text."""
    joining: Joining
    dataverse_index: int
    forward: Translation
    """The whole, as a text, to the Dataverse value."""
    back: Translation
    """The Dataverse value to the whole as a text."""
    contexts: tuple[Context, ...] = ()

    def parts(self, image: Image) -> Parts:
        """What an image of commerce holds, as texts."""
        return [text(image[at]) for at, text in zip(self.places, self.texts, strict=True)]

    def leaving(self, image: Image) -> Value:
        """What an image of commerce gives for Dataverse.

        Raises `Untranslatable` or `TargetMissing`.
        """
        parts = self.parts(image)
        self.joining.refuse(parts)
        return self.forward(self.joining.join(parts))

    def part(self, place: int, value: Value) -> Value:
        """One part of a Dataverse value, as text; raises like `leaving`."""
        return self.joining.split(self.back(value))[place]

    def gives(self, commerce: Image, dataverse: Image) -> bool:
        """Whether what commerce holds is what Dataverse holds."""
        try:
            return self.leaving(commerce) == dataverse[self.dataverse_index]
        except (Untranslatable, TargetMissing):
            return False

    def in_context(self, commerce: Image, dataverse: Image) -> bool:
        """Whether Dataverse points to a row of the context that commerce is in."""
        value = dataverse[self.dataverse_index]
        return value is None or all(
            normal_key(one.text(commerce[self.places[one.place]]))
            == normal_key(self.part(one.place, value))
            for one in self.contexts
        )

    def agree_with_contexts(self, image: Image) -> None:
        """Raise `Untranslatable` for a row of Dataverse that points out of its own context."""
        value = image[self.dataverse_index]
        if value is None:
            return
        for context in self.contexts:
            ours = context.text(context.field.arriving(Side.COMMERCE, image))
            theirs = self.part(context.place, value)
            if normal_key(ours) != normal_key(theirs):
                raise Untranslatable(
                    "reference-elsewhere",
                    f"the row it points to has {theirs!r} for `{context.field.name}`, the record "
                    f"itself {ours!r}",
                    "point it to a row with the same, or correct the record",
                )


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole(Field):
    """What Dataverse holds of joined columns; on the other side it is its parts."""

    joint: Joint = dataclasses.field(compare=False)
    parts: tuple[Part, ...]

    def read(self, side: Side, image: Image) -> Value:
        """On the commerce side the joined text, whether or not it may travel."""
        if side is Side.COMMERCE:
            return self.joint.joining.join(self.joint.parts(image))
        return image[self.dataverse_index]

    def arriving(self, target: Side, source: Image) -> Value:
        """For Dataverse only; the parts arrive in commerce."""
        return self.joint.leaving(source) if target is Side.DATAVERSE else None

    def same_in(self, commerce: Image, dataverse: Image) -> bool:
        """Whether one side, translated, gives the other, as a whole."""
        if self.to_dataverse and self.joint.gives(commerce, dataverse):
            return True
        return self.to_commerce and all(p.comes_back(commerce, dataverse) for p in self.parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Part(Field):
    """A joined column by itself: its edits count, and what Dataverse holds comes back to it."""

    joint: Joint = dataclasses.field(compare=False)

    def read(self, side: Side, image: Image) -> Value:
        """On the Dataverse side the whole."""
        if side is Side.DATAVERSE:
            return image[self.joint.dataverse_index]
        return image[self.commerce_index]

    def arriving(self, target: Side, source: Image) -> Value:
        """For commerce only; it is the whole that arrives in Dataverse."""
        if target is Side.DATAVERSE:
            return None
        self.joint.agree_with_contexts(source)
        return self.backward(self.read(Side.DATAVERSE, source))

    def same_in(self, commerce: Image, dataverse: Image) -> bool:
        """Where the whole is the same, so is each part of it."""
        if not self.to_commerce:
            return True
        if self.to_dataverse and self.joint.gives(commerce, dataverse):
            return True
        return self.comes_back(commerce, dataverse)

    def comes_back(self, commerce: Image, dataverse: Image) -> bool:
        """Whether what Dataverse holds gives what this column holds."""
        try:
            arriving = self.arriving(Side.COMMERCE, dataverse)
            held = self.measure(commerce[self.commerce_index])
            return self.measure(arriving) == held and self.joint.in_context(commerce, dataverse)
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

    def unsigned(self, dataverse: Image) -> bool:
        """Whether it says who changed a row of Dataverse last, and here says nobody: it was us."""
        columns = {(field.column(Side.DATAVERSE) or "").lower() for field in self.fields}
        return columns == {MODIFIED_BY} and self.blank(Side.DATAVERSE, dataverse)

    def values(self, side: Side, image: Image) -> dict[str, Value]:
        """The side's own values of this group by column name."""
        return {
            column: image[field.index(side)]
            for field in self.fields
            if (column := field.column(side)) is not None
        }
