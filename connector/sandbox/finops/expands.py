"""`$expand`: related rows inside a row, one level deep.

Owns: finding them, a page of rows at a time.
Never does: the syntax (`options.py`).
Tested in: tests/integration/sandbox/finops/test_expands.py.

Facts: "Finance and Operations: odata" ($expand, first level only).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from connector.sandbox.comparing import fold
from connector.sandbox.finops import errors
from connector.sandbox.finops.catalog import BY_SET
from connector.sandbox.finops.entities import Entity, Navigation
from connector.sandbox.finops.options import Expand
from connector.sandbox.finops.rows import Level, Renderer, selection, source
from connector.sandbox.finops.storage import Storage

_AT_ONCE = 200


class Expands:
    """Related rows of one storage."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def add(
        self,
        entity: Entity,
        rows: list[dict[str, Any]],
        expands: Sequence[Expand],
        level: Level,
    ) -> None:
        """Put the rows asked for into `rows`.

        A related row lies in the company of the row it belongs to. Raises `AxError` for an
        unknown navigation.
        """
        for one in expands:
            navigation = entity.navigations.get(one.name)
            if navigation is None:
                raise errors.bad_query(errors.unknown_property(entity, one.name))
            target = BY_SET[navigation.target]
            for name in one.select:
                if name not in target.fields:
                    raise errors.bad_query(errors.unknown_property(target, name))
            found = self._related(target, navigation, rows, one.select, level)
            for row in rows:
                related = found.get(_own(navigation, row), [])
                if navigation.collection:
                    row[one.name] = related
                else:
                    row[one.name] = related[0] if related else None

    def _related(
        self,
        target: Entity,
        navigation: Navigation,
        rows: list[dict[str, Any]],
        select: Sequence[str],
        level: Level,
    ) -> dict[tuple[str, ...], list[dict[str, Any]]]:
        """Related rows by the values they have in common with the row they belong to."""
        names = list(navigation.pairs.values())
        shown = tuple(target.fields[n] for n in select) if select else target.listed
        needed = tuple(target.fields[n] for n in names)
        renderer = Renderer(target, shown, level)
        wanted = list(dict.fromkeys(_own(navigation, row) for row in rows))
        related: dict[tuple[str, ...], list[dict[str, Any]]] = defaultdict(list)
        columns = ", ".join(f'fold(t."{name}")' for name in names)
        for start in range(0, len(wanted), _AT_ONCE):
            part = wanted[start : start + _AT_ONCE]
            marks = ", ".join(f"({', '.join('?' for _ in names)})" for _ in part)
            found = self._storage.connection.execute(
                f"SELECT {selection(target, (*shown, *needed))} FROM {source(target)} "
                f"WHERE ({columns}) IN (VALUES {marks}) ORDER BY t.recid",
                [value for values in part for value in values],
            )
            for row in found:
                own = tuple(fold(value) or "" for value in row[-len(needed) :])
                related[own].append(renderer(tuple(row[: -len(needed)])))
        return related


def _own(navigation: Navigation, row: dict[str, Any]) -> tuple[str, ...]:
    return tuple(fold(row[name]) or "" for name in navigation.pairs)
