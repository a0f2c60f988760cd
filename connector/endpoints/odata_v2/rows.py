"""Entities of a JSON answer as rows of the protocol.

Owns: taking an answer apart, values in the order of the columns, id, version and modified time.
Never does: HTTP; pyodata's proxies, whose attributes ask the service when they are looked at and
one of which, holding a null it must not, ends a whole page.
Tested in: tests/unit/endpoints/odata_v2/test_pyodata.py.

Facts: "OData V2: JSON format" (`d`, `results`, `__metadata.etag`, `__next`, `__count`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from connector.endpoints.base import Row
from connector.endpoints.odata_v2.keys import id_of
from connector.endpoints.odata_v2.metadata import Field, Table
from connector.endpoints.snapshots import image_version
from connector.endpoints.web.numbers import loads_exactly
from connector.mapping.values import Image

SEEN = "seen:"
"""Begins the version of a row without ETag: the rest is a digest of what the row holds."""


class Answer(NamedTuple):
    """The entities of one answer, and the link to those that follow."""

    entities: Sequence[Mapping[str, Any]]
    next: str | None


def answer_of(body: bytes) -> Answer:
    """A collection as a V2 service writes it; raises `ValueError` for anything else."""
    content = _d(body)
    if isinstance(content, list):  # services of V1 manners
        return Answer(content, None)
    if not isinstance(content, dict) or not isinstance(content.get("results"), list):
        raise ValueError("an answer without `results`")
    link = content.get("__next")
    return Answer(content["results"], link if isinstance(link, str) and link else None)


def entity_of(body: bytes) -> Mapping[str, Any]:
    """A single entity; raises `ValueError` for anything else."""
    content = _d(body)
    if not isinstance(content, dict) or "results" in content:
        raise ValueError("an answer without an entity")
    return content


def _d(body: bytes) -> Any:
    answer = loads_exactly(body)
    if not isinstance(answer, dict) or "d" not in answer:
        raise ValueError("an answer without `d`")
    return answer["d"]


class Projection:
    """Rows of one table under one column list; `modified` names the time of the last change."""

    def __init__(self, table: Table, columns: Sequence[str], modified: str | None = None) -> None:
        self._table = table
        self.fields = table.select(columns)
        self._plan = [(field.name, field.edm.read) for field in self.fields]
        self._keys = [(field.name, field.edm.read) for field in table.keys]
        stamp = table.fields.get((modified or "").casefold())
        self._stamp: Field | None = stamp if table.entity.capabilities.modified_time else None
        extra = [*table.keys, *([self._stamp] if self._stamp else [])]
        self.select = ",".join(dict.fromkeys(field.name for field in [*self.fields, *extra]))
        """What is asked for: the columns, and what id and time are made of."""

    def rows(self, entities: Sequence[Mapping[str, Any]]) -> list[Row]:
        """The rows, in order; raises `ValueError`, `TypeError` or `KeyError`, the row named."""
        return [self.row(entity) for entity in entities]

    def row(self, entity: Mapping[str, Any], etag: str | None = None) -> Row:
        """One row; `etag` is that of the header around it, the entity's own comes first."""
        image = self._image(entity)
        id = self.id(entity)
        etag = etag_of(entity) or etag
        version = etag if etag is not None else SEEN + image_version(image)
        return Row(id, version, image, self._modified_at(entity))

    def id(self, entity: Mapping[str, Any]) -> str:
        """The id of a row."""
        return id_of(self._table, tuple([_read(entity, *one) for one in self._keys]))

    def _image(self, entity: Mapping[str, Any]) -> Image:
        try:
            return tuple(
                [
                    None if (value := entity[name]) is None else read(value)
                    for name, read in self._plan
                ]
            )
        except (ValueError, TypeError, KeyError):
            # Once more and slowly, to say which one it is.
            return tuple([_read(entity, *one) for one in self._plan])

    def _modified_at(self, entity: Mapping[str, Any]) -> datetime | None:
        if self._stamp is None:
            return None
        value = _read(entity, self._stamp.name, self._stamp.edm.read)
        return value if isinstance(value, datetime) else None


def cut(row: Row, width: int) -> Row:
    """The row without what was asked beyond the first `width` columns."""
    image = row.image[:width]
    if row.version is not None and row.version.startswith(SEEN):
        return row._replace(image=image, version=SEEN + image_version(image))
    return row._replace(image=image)


def etag_of(entity: Mapping[str, Any]) -> str | None:
    """The ETag an entity carries itself."""
    told = entity.get("__metadata")
    etag = told.get("etag") if isinstance(told, dict) else None
    return etag if isinstance(etag, str) and etag else None


def _read(entity: Mapping[str, Any], name: str, read: Any) -> Any:
    if name not in entity:
        # To look at an attribute that is not there would ask the service for it, row by row.
        raise KeyError(f"the service left out {name}, which was asked for")
    value = entity[name]
    try:
        return None if value is None else read(value)
    except (ValueError, TypeError) as error:
        raise ValueError(f"{name}: {error}") from error
