"""How values become text in the database, and come back with their types.

Owns: the JSON form of images (arrays in layout order) and of named values (objects).
Never does: SQL; knowing which layout is current.
Tested in: tests/unit/store/test_images.py.

JSON has no decimal, date or instant: they are written as text, and the layout says which
positions to read back. The converters of a layout are looked up once, so that a value of any
other type costs nothing beyond the JSON itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, TypeAlias

import orjson

from connector.errors import StateError
from connector.mapping.values import REPLACED, Image, Side, Value, ValueType
from connector.store.record import Layout

Columns: TypeAlias = tuple[tuple[str, ValueType], ...]
"""(name, type) in image order."""

Decode: TypeAlias = Callable[[str], Image]

_FROM_TEXT: Mapping[ValueType, Callable[[Any], Value]] = {
    ValueType.DECIMAL: Decimal,
    ValueType.DATE: date.fromisoformat,
    ValueType.INSTANT: datetime.fromisoformat,
}


def _plain(value: object) -> object:
    """What orjson cannot write by itself."""
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} is not a canonical value")


def encode(values: object) -> str:
    """Canonical values as JSON text; raises StateError `value-unstorable`."""
    try:
        return orjson.dumps(values, default=_plain, option=orjson.OPT_UTC_Z).decode()
    except TypeError as error:
        raise StateError(
            "value-unstorable",
            "a value cannot be kept in the sync state",
            cause=str(error),
            remedy="this is a defect of the endpoint that read the value; please report it",
        ) from error


def plain_text(text: str | None) -> str | None:
    """A text that is no JSON, as every database keeps it: PostgreSQL knows no NUL."""
    return text and text.replace("\x00", REPLACED)


def encode_named(values: Mapping[str, Value] | None) -> str | None:
    """Values by column name, for people and scripts: dates in ISO form, decimals as text."""
    return None if values is None else encode(values)


def decode_named(text: str | None) -> Mapping[str, Any] | None:
    """The JSON form of values by column name, types as JSON has them."""
    if text is None:
        return None
    values: dict[str, Any] = orjson.loads(text)
    return values


def encode_pair(values: Mapping[Side, Mapping[str, Value]] | None) -> str | None:
    """Named values of both sides as one JSON object."""
    if values is None:
        return None
    return encode({side.value: dict(named) for side, named in values.items()})


def decode_pair(text: str | None) -> Mapping[Side, Mapping[str, Any]] | None:
    """The JSON form of named values of both sides, types as JSON has them."""
    if text is None:
        return None
    return {Side(side): named for side, named in orjson.loads(text).items()}


class SideCodec:
    """The images of one side under one layout."""

    __slots__ = ("_typed", "_types", "columns", "width")

    def __init__(self, columns: Columns) -> None:
        self.columns = columns
        self.width = len(columns)
        self._types = {name: _FROM_TEXT[type_] for name, type_ in columns if type_ in _FROM_TEXT}
        self._typed = tuple(
            (index, _FROM_TEXT[type_])
            for index, (_, type_) in enumerate(columns)
            if type_ in _FROM_TEXT
        )

    def encode(self, image: Image) -> str:
        """The image as a JSON array; raises StateError `image-width` if it is not this layout's."""
        if len(image) != self.width:
            raise StateError(
                "image-width",
                f"an image of {len(image)} values was handed in for {self.width} columns",
                remedy="this is a defect of the engine; please report it",
            )
        return encode(image)

    def decode(self, text: str) -> Image:
        """The image kept as `text`."""
        values = orjson.loads(text)
        for index, convert in self._typed:
            value = values[index]
            if value is not None:
                values[index] = convert(value)
        return tuple(values)

    def decode_into(self, wanted: Columns) -> Decode:
        """A reader of images kept under this layout that hands them out in another order.

        A column that was not kept, or was kept as another type, reads as None.
        """
        if wanted == self.columns:
            return self.decode
        place = {column: index for index, column in enumerate(self.columns)}
        sources = tuple(place.get(column) for column in wanted)

        def decode(text: str) -> Image:
            image = self.decode(text)
            return tuple(None if source is None else image[source] for source in sources)

        return decode

    def typed(self, values: Mapping[str, Any]) -> dict[str, Value]:
        """Values by column name, as JSON has them, brought back to this layout's types."""
        types = self._types
        return {
            name: types[name](value) if value is not None and name in types else value
            for name, value in values.items()
        }


class LayoutCodec:
    """The images of both sides under one layout."""

    __slots__ = ("layout", "sides")

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.sides = {side: SideCodec(tuple(layout.columns[side])) for side in Side}

    def decode_pair(self, text: str) -> dict[Side, Mapping[str, Value]]:
        """Named values of both sides, typed by the layout."""
        return {
            Side(side): self.sides[Side(side)].typed(named)
            for side, named in orjson.loads(text).items()
        }


def encode_columns(columns: Mapping[Side, Columns]) -> str:
    """The column lists of a layout as JSON text, equal for equal lists."""
    return encode(
        {side.value: [[name, type_.value] for name, type_ in columns[side]] for side in Side}
    )


def decode_columns(text: str) -> dict[Side, Columns]:
    """The column lists of a layout."""
    return {
        Side(side): tuple((name, ValueType(type_)) for name, type_ in pairs)
        for side, pairs in orjson.loads(text).items()
    }
