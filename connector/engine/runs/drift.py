"""What two sides say of a map's tables today, against what they said when it last ran.

Owns: the text a description is kept as, and the list of what differs.
Never does: asking a side, keeping anything; what becomes of a difference (`stock.py`).
Tested in: tests/unit/engine/test_drift.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeAlias

import orjson

from connector.endpoints.base import Column, Entity
from connector.mapping.values import Side

Kept: TypeAlias = dict[str, dict[str, Any]]
"""By side: `entity`, `columns` with their facets by name, `keys` as lists of column names."""

GONE = "gone"
"""The facet of a column that was missed at one time since the map last ran."""


class Drift(StrEnum):
    """What happened to columns."""

    ADDED = "added"
    REMOVED = "removed"
    MADE_ANEW = "made anew"
    RETYPED = "retyped"
    SHORTER = "shorter"
    LONGER = "longer"
    FEWER_CHOICES = "fewer choices"
    MORE_CHOICES = "more choices"
    KEY_DROPPED = "key dropped"


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference between then and now."""

    drift: Drift
    side: Side
    entity: str
    columns: tuple[str, ...]
    """The one it is about; of a key all of them."""
    then: str = ""
    now: str = ""


def kept_text(kept: Kept) -> str:
    """The text two tables are kept as; the same for what is the same."""
    return orjson.dumps(kept, option=orjson.OPT_SORT_KEYS).decode()


def kept_of(entities: Mapping[Side, Entity]) -> Kept:
    """Two tables as they are compared."""
    return {
        side.value: {
            "entity": entity.name,
            "columns": {name: _facets(column) for name, column in entity.columns.items()},
            "keys": sorted(sorted(key.columns) for key in entity.keys),
        }
        for side, entity in entities.items()
    }


def recalled(text: str | None) -> Kept | None:
    """What was kept; None where nothing was."""
    return None if text is None else orjson.loads(text)


def _facets(column: Column) -> dict[str, Any]:
    facets = {
        "type": column.type.value,
        "of": None if column.reference is None else column.reference.entity,
        "identity": column.identity,
        "length": column.max_length,
        "choices": None if column.choices is None else sorted(map(str, column.choices)),
    }
    return {name: value for name, value in facets.items() if value is not None}


def differences(old: Kept, new: Kept) -> Iterator[Difference]:
    """What differs in tables both know; another table is another matter."""
    for side in Side:
        then, now = old.get(side.value), new.get(side.value)
        if then is None or now is None or then["entity"] != now["entity"]:
            continue
        entity = str(now["entity"])
        yield from _columns(side, entity, then["columns"], now["columns"])
        for key in then["keys"]:
            if key not in now["keys"]:
                yield Difference(Drift.KEY_DROPPED, side, entity, tuple(key))


def _columns(
    side: Side, entity: str, then: Mapping[str, Any], now: Mapping[str, Any]
) -> Iterator[Difference]:
    for name in sorted({*then, *now}):
        if name not in now:
            yield Difference(Drift.REMOVED, side, entity, (name,))
        elif name not in then:
            yield Difference(Drift.ADDED, side, entity, (name,), now=_typed(now[name]))
        else:
            for drift, before, after in _changes(then[name], now[name]):
                yield Difference(drift, side, entity, (name,), before, after)


def _changes(then: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[tuple[Drift, str, str]]:
    """What happened to one column; one that was made anew is told of once."""
    before, after = then.get("identity"), now.get("identity")
    if then.get(GONE) or (before is not None and after is not None and before != after):
        yield Drift.MADE_ANEW, _typed(then), _typed(now)
        return
    if _typed(then) != _typed(now):
        yield Drift.RETYPED, _typed(then), _typed(now)
        return
    short, long = then.get("length"), now.get("length")
    if short != long:
        shrank = long is not None and (short is None or long < short)
        yield (Drift.SHORTER if shrank else Drift.LONGER), _length(short), _length(long)
    had, has = set(then.get("choices", ())), set(now.get("choices", ()))
    if had - has:
        yield Drift.FEWER_CHOICES, ", ".join(sorted(had - has)), ""
    if has - had:
        yield Drift.MORE_CHOICES, "", ", ".join(sorted(has - had))


def _typed(facets: Mapping[str, Any]) -> str:
    target = facets.get("of")
    return f"{facets['type']} to {target}" if target else str(facets["type"])


def _length(length: int | None) -> str:
    return "any length" if length is None else f"{length} characters"


# ---------------------------------------------------------------------------- missed columns


def without(
    kept: Kept, columns: Mapping[Side, Sequence[str]], there: Callable[[Side, str], bool]
) -> Kept | None:
    """What is kept once these columns were looked for; None where nothing new was missed.

    Only columns that a system does not tell apart by an identity need it: another column of the
    same name would pass for the one that was there.
    """
    missed = [
        (side, name)
        for side, names in columns.items()
        for name in names
        if (facets := _kept_column(kept, side, name)) is not None
        and GONE not in facets
        and "identity" not in facets
        and not there(side, name)
    ]
    if not missed:
        return None
    made = orjson.loads(orjson.dumps(kept))
    for side, name in missed:
        made[side.value]["columns"][name][GONE] = True
    return dict(made)


def _kept_column(kept: Kept, side: Side, name: str) -> Mapping[str, Any] | None:
    found: Mapping[str, Any] | None = kept.get(side.value, {}).get("columns", {}).get(name)
    return found
