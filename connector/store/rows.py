"""A record as the tuple of values of its database row, and back.

Owns: the order of those values, and the codes of enumerations and problems among them.
Never does: SQL.
Tested in: tests/contract/store/test_records.py.

A thousand records per page pass here both ways, so that it is written for speed. `_value_` is
the documented plain attribute behind `value`, whose property costs as much as binding five
columns; an enumeration member itself would be adapted by the driver, which costs more.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson

from connector.errors import Problem, Subject
from connector.mapping.values import Image, Side
from connector.store import images
from connector.store.database import Params
from connector.store.images import Decode, LayoutCodec
from connector.store.layouts import Readers
from connector.store.record import Anew, Presence, Record, SideState, State
from connector.store.schema import SAME, records

NAMES = tuple(column.name for column in records.columns)
"""The columns in the order in which a query hands them out."""

BODY = tuple(name for name in NAMES if name not in ("number", "map"))
"""The columns whose values `body_of` makes."""

_PRESENCE = {presence.value: presence for presence in Presence}
_STATE = {state.value: state for state in State}


def body_of(codec: LayoutCodec) -> Callable[[Record], Params]:
    """What turns a record into the values of `BODY`."""
    layout = codec.layout.id
    commerce, dataverse = codec.sides[Side.COMMERCE].encode, codec.sides[Side.DATAVERSE].encode

    def body(record: Record) -> Params:
        problem = record.problem
        return (
            record.key,
            record.ordinal,
            layout,
            1 if record.unconfirmed else 0,
            record.state._value_,
            record.due,
            record.attempts,
            record.waiting,
            record.conflicts,
            None if problem is None else encode_problem(problem),
            *_side_values(record.commerce, commerce),
            *_side_values(record.dataverse, dataverse),
            1 if record.accepted else 0,
            images.encode(record.anew) if record.anew else None,
        )

    return body


def _side_values(state: SideState, encode: Callable[[Image], str]) -> Params:
    image, agreed = state.image, state.agreed
    return (
        state.presence._value_,
        state.id,
        state.key,
        state.version,
        state.epoch,
        state.tick,
        state.modified_at,
        state.modifier,
        None if image is None else encode(image),
        None if agreed is None else SAME if agreed == image else encode(agreed),
    )


def record_of(row: Any, readers: Readers) -> Record:
    """The record of a row whose values are in the order of `NAMES`."""
    problem, anew = row[11], row[33]
    return Record(
        row[0],
        row[1],
        row[2],
        row[3],
        _side_state(row[12:22], readers[0]),
        _side_state(row[22:32], readers[1]),
        row[5] == 1,
        _STATE[row[6]],
        row[7],
        row[8],
        row[9],
        row[10],
        None if problem is None else decode_problem(problem),
        row[32] == 1,
        {} if anew is None else {name: Anew(how) for name, how in orjson.loads(anew).items()},
    )


def _side_state(values: Any, decode: Decode) -> SideState:
    presence, id, key, version, epoch, tick, modified_at, modifier, image, agreed = values
    seen = None if image is None else decode(image)
    return SideState(
        _PRESENCE[presence],
        id,
        key,
        version,
        epoch,
        seen,
        None if agreed is None else seen if agreed == SAME else decode(agreed),
        tick,
        modified_at,
        modifier,
    )


def encode_problem(problem: Problem) -> str:
    """A problem as its documented JSON form."""
    return images.encode(problem.as_dict())


def decode_problem(text: str) -> Problem:
    """The problem kept as JSON."""
    values = orjson.loads(text)
    return Problem(
        values["code"],
        values["message"],
        values["remedy"],
        Subject(**values["subject"]),
        values["severity"],
    )
