"""Records with a write on its way, for tests of what its reply means."""

from __future__ import annotations

from connector.endpoints.base import (
    Applied,
    Row,
)
from connector.engine.plan import Write, plan
from connector.engine.settle import note
from connector.mapping.compiling.compiled import CompiledMap
from connector.mapping.values import Value
from connector.store.record import Record
from tests.unit.engine.building import (
    DATAVERSE,
    both,
    compiled,
    image,
    record,
)

MAP = compiled(both("A"), both("B"))
XX = ({"A": "x", "B": "x"}, {"a": "x", "b": "x"})


def updated(map: CompiledMap = MAP) -> tuple[Record, Write]:
    """A record on its way: A was edited in commerce and its update has left."""
    made = record(map, {"A": "y", "B": "x"}, XX[1], XX)
    action = plan(made, map)
    note(made, action, map)
    (write,) = action.writes
    return made, write


def applied(map: CompiledMap = MAP, **values: Value) -> Applied:
    """The row of Dataverse after a write, at version 9."""
    shown = image(map, DATAVERSE, {**XX[1], **values})
    return Applied("dataverse-1", Row("dataverse-1", "9", shown, None, "us"))
