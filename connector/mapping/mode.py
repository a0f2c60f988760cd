"""What a map does with rows: keep both sides equal, or add each row of one side to the other once.

Owns: the modes, and what an append map has no use for.
Never does: appending (`connector/engine/append/`).
Tested in: tests/unit/mapping/test_mode.py.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from connector.mapping.findings import Contradiction
from connector.mapping.values import Side

if TYPE_CHECKING:
    from connector.mapping.document import MapDocument

_OF_TWO_SIDES = ("master", "conflict", "deletes", "filter_exit", "blank_wins", "delete_guard")
"""Settings that speak of rows that may change or go."""


class Mode(StrEnum):
    """What becomes of a row after it was written."""

    SYNC = "sync"
    """Changes and deletes travel, and the state keeps what both sides hold."""
    APPEND = "append"
    """Nothing: rows of the source are only ever added, and the state keeps none of them."""


def refuse_other_than_appending(document: MapDocument) -> None:
    """Raise `Contradiction` for whatever an append map cannot mean."""
    targets = frozenset[Side]().union(*(row.ways for row in document.fields))
    if len(targets) != 1:
        raise Contradiction(
            "rows of an append map go one way: from the side that adds them to the other",
            "fields",
            code="append-two-way",
            remedy="write every row with `>` (or `>>`), or every row with `<` (or `<<`)",
        )
    (target,) = targets
    for name in _OF_TWO_SIDES:
        if name in document.model_fields_set:
            raise _of_no_use(name)
    for index, row in enumerate(document.fields):
        if row.conflict is not None:
            raise _of_no_use("fields", index, "conflict")
    for side in Side:
        if document.end(side).inactive is not None:
            raise _of_no_use(side.value, "inactive")
    if document.end(target).filter is not None:
        raise _of_no_use(target.value, "filter")


def _of_no_use(*at: str | int) -> Contradiction:
    return Contradiction(
        f"`{at[-1]}` means nothing here: an append map adds rows to a side it never reads",
        *at,
        code="append-key-unused",
        remedy="take it away, or `mode: append`",
    )
