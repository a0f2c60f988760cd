"""Sights of a record's Dataverse row, and who reports them."""

from __future__ import annotations

from dataclasses import replace

from connector.endpoints.base import Row
from connector.engine.news.witness import Witness
from connector.mapping.compiling.compiled import CompiledMap
from connector.mapping.values import Side, Value
from connector.store.record import Presence, Record
from tests.unit.engine.building import (
    DATAVERSE,
    both,
    compiled,
    image,
    record,
)

MAP = compiled(both("A"), both("B"))
XX = ({"A": "x", "B": "x"}, {"a": "x", "b": "x"})
US, SOMEBODY = "app-user", "agent"
NOW = 50.0


def ordered(a: str, b: str) -> bool | None:
    return int(a) > int(b)


def unordered(a: str, b: str) -> bool | None:
    return None


def witness(
    side: Side = DATAVERSE, tick: int = 10, map: CompiledMap = MAP, **more: object
) -> Witness:
    made = Witness(map, side, tick, NOW, 1, ordered, frozenset({US}))
    return replace(made, **more)  # type: ignore[arg-type]


def settled() -> Record:
    """Both sides agreed; version 5, established at tick 5 on both sides."""
    made = record(MAP, *XX, XX)
    made.due = None
    for side in Side:
        made.side(side).version, made.side(side).tick = "5", 5
    return made


def presence(made: Record) -> Presence:
    """What is known of the Dataverse side."""
    return made.dataverse.presence


def row(
    version: str | None = "6",
    side: Side = DATAVERSE,
    modifier: str | None = SOMEBODY,
    map: CompiledMap = MAP,
    **values: Value,
) -> Row:
    """A row as seen; unnamed columns hold `x`."""
    filled = {name: "x" for name in map.column_names(side) if name.lower() != "id"}
    return Row(f"{side}-1", version, image(map, side, filled | values), None, modifier)
