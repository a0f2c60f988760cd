"""Which column lists images are kept in.

Owns: the table `layouts`, a codec for each layout, and which one is current for a map.
Never does: converting values itself (`images.py` does).
Tested in: tests/contract/store/.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import TypeAlias

import sqlalchemy as sa
from sqlalchemy import bindparam

from connector.errors import StateError, Subject
from connector.mapping.values import Side
from connector.store import images
from connector.store.database import Database, bound
from connector.store.images import Columns, Decode, LayoutCodec
from connector.store.record import Layout
from connector.store.schema import layouts

Readers: TypeAlias = tuple[Decode, Decode]
"""How the commerce and the Dataverse image of one stored layout are read."""


class Layouts:
    """The layouts of every map."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._codecs: dict[int, LayoutCodec] = {}
        self._current: dict[str, LayoutCodec] = {}
        self._readers: dict[tuple[int, int], Readers] = {}
        c = layouts.c
        self._number = sa.select(c.id).where(
            c.map == bindparam("map"), c.digest == bindparam("digest")
        )
        self._insert = (
            db.dialect.insert(layouts)
            .values(bound(("map", "columns", "digest")))
            .on_conflict_do_nothing()
        )
        self._layout = sa.select(layouts).where(c.id == bindparam("id"))

    def find(self, map: str, columns: Mapping[Side, Columns]) -> Layout:
        """The same for reading only: a new layout gets a number below zero and is not stored."""
        digest = _digest(images.encode_columns(columns))
        number = self._db.scalar(self._number, map=map, digest=digest)
        if number is None:
            number = -1 - len(self._codecs)
            self._codecs[number] = LayoutCodec(Layout(number, map, columns))
        return self.codec(number).layout

    def register(self, map: str, columns: Mapping[Side, Columns]) -> Layout:
        """The layout with these column lists; images of the map are written in it from now on."""
        text = images.encode_columns(columns)
        key = {"map": map, "digest": _digest(text)}
        number = self._db.scalar(self._number, **key)
        if number is None:
            with self._db.transaction() as connection:
                connection.execute(self._insert, {**key, "columns": text})
            number = self._db.scalar(self._number, **key)
        codec = self.codec(number)
        self._current[map] = codec
        return codec.layout

    def current(self, map: str) -> LayoutCodec:
        """The layout that images of this map are written in.

        Raises StateError `layout-unknown` when `register` was not called for the map.
        """
        try:
            return self._current[map]
        except KeyError:
            raise StateError(
                "layout-unknown",
                "records were handed in before their layout",
                subject=Subject(map=map),
                remedy="this is a defect of the engine; please report it",
            ) from None

    def codec(self, number: int) -> LayoutCodec:
        """The codec of a layout by its number."""
        codec = self._codecs.get(number)
        if codec is None:
            row = self._db.row(self._layout, id=number)
            if row is None:
                raise StateError(
                    "layout-missing",
                    f"images are kept under layout {number}, which is not in the sync state",
                    remedy="restore the state from its backup",
                )
            codec = LayoutCodec(Layout(row.id, row.map, images.decode_columns(row.columns)))
            self._codecs[number] = codec
        return codec

    def readers(self, stored: int, wanted: Layout) -> Readers:
        """How images kept under `stored` are handed out in the order of `wanted`."""
        readers = self._readers.get((stored, wanted.id))
        if readers is None:
            sides = self.codec(stored).sides
            commerce, dataverse = (
                sides[side].decode_into(tuple(wanted.columns[side])) for side in Side
            )
            readers = self._readers[stored, wanted.id] = (commerce, dataverse)
        return readers


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
