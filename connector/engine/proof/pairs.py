"""Both sides read whole and joined by normalised key, in bounded memory.

Owns: the streamed join behind `verify` and behind the dry run of a load.
Never does: comparing values, keeping anything.
Tested in: tests/integration/engine/test_verify.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from connector.endpoints.base import Endpoint
from connector.engine.news.twins import KEYLESS
from connector.mapping.compiling.compiled import CompiledMap
from connector.mapping.values import Image, Side, normal_key
from connector.store.base import Scratch


@dataclass(frozen=True, slots=True)
class Held:
    """A row as one side holds it."""

    id: str
    image: Image


@dataclass(frozen=True, slots=True)
class Couple:
    """The rows of both sides under one normalised key; None where a side has none.

    A second row of one side under the same key is a `twin` and comes alone.
    """

    key: str
    commerce: Held | None
    dataverse: Held | None
    twin: bool = False

    def held(self, side: Side) -> Held | None:
        """The row of one side."""
        return self.commerce if side is Side.COMMERCE else self.dataverse


def couples(
    map: CompiledMap,
    endpoints: Mapping[Side, Endpoint],
    scratch: Scratch,
    progress: Callable[[str, int], None],
) -> Iterator[list[Couple]]:
    """Everything both sides hold, in lists of page size.

    Dataverse is read into `scratch`, then commerce is streamed against it; what commerce did
    not take comes last. Rows without a key stand alone.
    """
    for page in _pages(map, endpoints, Side.DATAVERSE):
        scratch.put((_key(map, Side.DATAVERSE, id, image), id, image) for id, image in page)
        progress("read dataverse", len(page))
    for page in _pages(map, endpoints, Side.COMMERCE):
        progress("read commerce", len(page))
        keys = [_key(map, Side.COMMERCE, id, image) for id, image in page]
        found = scratch.take(keys)
        batch: list[Couple] = []
        met: set[str] = set()
        for key, (id, image) in zip(keys, page, strict=True):
            # By id: a scan may hand a row out twice, the later sight counts.
            others = [] if key in met else list(dict(found.get(key, ())).items())
            met.add(key)
            first = Held(*others[0]) if others else None
            batch.append(Couple(key, Held(id, image), first))
            batch.extend(Couple(key, None, Held(*other), twin=True) for other in others[1:])
        yield batch
    rest: list[Couple] = []
    for key, id, image in scratch.rest():
        rest.append(Couple(key, None, Held(id, image)))
        if len(rest) == 1000:
            yield rest
            rest = []
    if rest:
        yield rest


def couples_of(map: CompiledMap, endpoints: Mapping[Side, Endpoint], key: str) -> list[Couple]:
    """The rows of both sides under one key, as a person types it."""
    held: dict[Side, list[Held]] = {}
    parts = len(map.keys[Side.COMMERCE])
    normal = normal_key(*key.split(" / ", parts - 1)) or key
    for side in Side:
        columns = map.column_names(side)
        by, asked = columns[map.keys[side][0]], map.first_part(key)
        found = endpoints[side].read(map.entity(side), columns, by=by, values=[asked]).rows
        rows = [row for several in found.values() for row in several]
        if parts > 1:  # the first part alone is the key of others too
            rows = [row for row in rows if map.key_of(side, row.image) == normal]
        held[side] = [Held(row.id, row.image) for row in rows]
    commerce, dataverse = held[Side.COMMERCE], held[Side.DATAVERSE]
    if not commerce and not dataverse:
        return []
    first = Couple(normal, next(iter(commerce), None), next(iter(dataverse), None))
    twins = [Couple(normal, row, None, twin=True) for row in commerce[1:]]
    return [first, *twins, *(Couple(normal, None, row, twin=True) for row in dataverse[1:])]


def _pages(
    map: CompiledMap, endpoints: Mapping[Side, Endpoint], side: Side
) -> Iterator[list[tuple[str, Image]]]:
    """Each row once: a row a scan hands out again is left to the last re-read."""
    for page in endpoints[side].scan(map.entity(side), map.column_names(side), None):
        if page.rows:
            yield [(row.id, row.image) for row in page.rows]


def _key(map: CompiledMap, side: Side, id: str, image: Image) -> str:
    return map.key_of(side, image) or f"{KEYLESS}{id}"
