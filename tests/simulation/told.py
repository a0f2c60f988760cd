"""What a simulated system holds and remembers, for those who judge it.

Owns: rows as they are kept, values that gave way, writes that took effect, rows that went, backups.
Never does: changing any of it; `systems.py` does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from connector.endpoints.base import Operation
from connector.mapping.values import Side, Value


class Cell(NamedTuple):
    """One value somebody wrote, where it stood."""

    side: Side
    id: str
    column: str
    value: Value


class Written(NamedTuple):
    """One write of ours that took effect."""

    at: int
    """Its place in the change log."""
    operation: Operation
    before: Mapping[str, Value]
    """The written columns as they were; the whole row before a delete; nothing at a create."""
    asked: str = ""
    """The id it was sent for, where the row got another one."""
    blind: bool = False
    """Whether somebody wrote to the row after our last look, and nothing could refuse ours."""
    same: bool = False
    """Whether the row held just that already."""


class Dropped(NamedTuple):
    """One row that went."""

    at: int
    id: str
    key: str
    by: str


@dataclass
class Stored:
    """One row as the system holds it; `people` are the columns a person wrote last."""

    values: dict[str, Value]
    version: int
    modified_at: float
    modifier: str
    creator: str
    people: frozenset[str]


class Backup(NamedTuple):
    """A system as it was at one time."""

    rows: Mapping[str, Stored]
    log: Sequence[str]
    targets: Mapping[str, str]
