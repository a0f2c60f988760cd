"""What an endpoint without a change feed gives, so that its changes can be found.

Owns: the protocol of a table that can be read whole, and the version of a row that has none.
Never does: reading anything; each endpoint does, in its own way.
Tested in: tests/unit/endpoints/snapshots/test_source.py.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Context, Decimal
from typing import Generic, NamedTuple, Protocol, TypeAlias, TypeVar

from connector.endpoints.base import Row
from connector.mapping.values import Image, Value

Mark: TypeAlias = int | datetime
"""A place in a watermark column: a number that rises, or an instant in UTC."""

Sight: TypeAlias = tuple[str, str]
"""Id and version of one row."""


class Batch(NamedTuple):
    """One page of whole rows; `mark` goes on behind it and is None on the last page only.

    The mark is the source's own text, such as a link to the next page.
    """

    rows: Sequence[Row]
    mark: str | None


class Marked(NamedTuple):
    """A row with its place in the watermark column; `key` orders rows of one mark."""

    mark: Mark
    key: str
    row: Row


class Source(Protocol):
    """One table under one column list, as the system lets it be read.

    Pages are fetched when they are asked for. One row has one id text and, while nobody changes
    it, one version text in all three kinds of reading.
    """

    def rows(self, mark: str | None) -> Iterator[Batch]:
        """Whole rows, all of them or from a mark on; one batch at least."""
        ...

    def versions(self) -> Iterator[Sequence[Sight]]:
        """Id and version of every row; the version of a row that has none is `image_version`."""
        ...

    def read(self, ids: Sequence[str]) -> Iterable[Row]:
        """The rows with these ids, in any order; what is not there lacks."""
        ...


class TimedSource(Source, Protocol):
    """A table with a watermark column: every write gives its row a mark above all earlier ones."""

    def since(self, mark: Mark, after: str | None) -> Iterator[Sequence[Marked]]:
        """Rows in the order of mark and key, from `mark` on, or behind `(mark, after)`."""
        ...

    def horizon(self) -> Mark | None:
        """A mark that no write committed by now lies below, late ones aside.

        That is the clock of the system, or the highest mark there is; None for an empty table.
        """
        ...


S_co = TypeVar("S_co", bound=Source, covariant=True)


@dataclass(frozen=True, slots=True)
class Table(Generic[S_co]):
    """One entity under one column list, with what reads it; made anew for each call."""

    entity: str
    columns: tuple[str, ...]
    source: S_co


def version_of(row: Row) -> str:
    """The version a row is compared by."""
    return row.version if row.version is not None else image_version(row.image)


def image_version(image: Image) -> str:
    """A version for rows that have none: 32 hexadecimal digits of what the row holds."""
    parts: list[bytes] = []
    for value in image:
        kind, text = _canonical(value)
        told = text.encode("utf-8", "surrogatepass")
        parts.append(b"%s%d:%s" % (kind, len(told), told))
    return hashlib.blake2b(b"".join(parts), digest_size=16).hexdigest()


_EXACT = Context(prec=10_000)
"""The usual one would round a number of more than 28 digits, and miss a change behind them."""


def _canonical(value: Value) -> tuple[bytes, str]:
    """A letter for the type, and the same text for equal values of it."""
    if value is None:
        return b"n", ""
    if isinstance(value, str):
        return b"s", value
    if isinstance(value, bool):
        return b"b", str(int(value))
    if isinstance(value, int):
        return b"i", str(value)
    if isinstance(value, Decimal):
        return b"d", format(value.normalize(_EXACT), "f")
    if isinstance(value, datetime):
        return b"t", value.astimezone(UTC).isoformat()
    assert isinstance(value, date)
    return b"a", value.isoformat()
