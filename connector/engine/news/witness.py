"""Who reports news of a side, and the edit such news may show.

Owns: what is handed from whoever read a row to whoever weighs it.
Never does: weighing it (`observe.py`, `doubt.py`).
Tested in: tests/unit/engine/test_observe.py.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from connector.mapping.compiling.compiled import CompiledMap
from connector.mapping.values import Image, Side, Value

Sent = Mapping[str, Sequence[Value]]
"""By column: every value that writes of ours in doubt gave it, oldest first."""


@dataclass(frozen=True, slots=True)
class Witness:
    """Who reports: the side, its map, when the request left, and how to weigh its words."""

    map: CompiledMap
    side: Side
    tick: int
    now: float
    epoch: int
    newer: Callable[[str, str], bool | None]
    users: frozenset[str] = frozenset()
    """Under these ids our own writes appear as last modifier."""
    clock_offset: float = 0.0
    """Seconds the side's clock is ahead of ours."""
    asked: bool = False
    """The row was asked for itself; a page of a feed may come from a copy that lags behind."""
    ids: Literal["chosen", "key", "allotted"] = "chosen"
    """How the side's rows come by their ids (`Capabilities.ids`): only one that we chose proves
    that a row came of our create."""
    unguarded: bool = False
    """The side takes every write, whatever the row holds by then: that we wrote last does not say
    that nobody wrote right before."""
    sent: Mapping[int, Sent] = field(default_factory=dict)
    """By record number: what was sent to rows of which a write of ours is in doubt."""
    refused: frozenset[int] = frozenset()
    """Numbers of records whose creates in doubt were all refused, because a row was there."""
    done: Mapping[int, Mapping[str, Value]] = field(default_factory=dict)
    """By record number: what an update surely wrote whose reply did not tell what came of it."""


@dataclass(frozen=True, slots=True)
class Edit:
    """What somebody else changed, by column name, for the audit."""

    before: dict[str, Value]
    after: dict[str, Value]
    lost: str | None = None
    """The groups whose edit, `before`, gave way to a write of ours that is found out only now."""


def edited(witness: Witness, before: Image, after: Image) -> Edit:
    """What differs between two images of the witness's side."""
    names = witness.map.column_names(witness.side)
    changed = [i for i, (old, new) in enumerate(zip(before, after, strict=True)) if old != new]
    return Edit(
        {names[i]: before[i] for i in changed},
        {names[i]: after[i] for i in changed},
    )
