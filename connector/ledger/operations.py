"""What is asked of the ledger record by record, and what it answers.

Owns: the values that cross the line between the ledger and its callers.
Never does: anything; see `batch.py`.
Tested in: tests/unit/ledger/test_batch.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple, TypeAlias

from connector.errors import RecordError
from connector.ledger.fields import Value


class Record(NamedTuple):
    """One record: `values` in the order of the fields asked for, `modified_at` in UTC."""

    id: str
    version: int
    modified_at: datetime
    modified_by: str
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Insert:
    """A new record under an id its creator chose."""

    id: str
    values: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Change:
    """New values for some fields; `version` is the one expected, None for any."""

    id: str
    version: int | None
    values: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Remove:
    """Delete a record; `version` is the one expected, None for any."""

    id: str
    version: int | None


@dataclass(frozen=True, slots=True)
class Upsert:
    """Insert or change by natural key; fields that are not given stay as they are."""

    values: Mapping[str, object]


Operation: TypeAlias = Insert | Change | Remove | Upsert


class Done(NamedTuple):
    """It holds now. `record` is the record after it (all fields), None after a delete.

    `unchanged` means the record held these values before: no new version, no feed entry.
    """

    record: Record | None
    effect: Literal["created", "updated", "unchanged", "deleted"]


class Outdated(NamedTuple):
    """Not done: the record has another version than expected."""

    version: int


class Taken(NamedTuple):
    """Not done: the record `id` already has this id or this natural key."""

    id: str


class Absent(NamedTuple):
    """Not done: there is no record with this id."""


class Refused(NamedTuple):
    """Not done: a value is not acceptable."""

    error: RecordError


Result: TypeAlias = Done | Outdated | Taken | Absent | Refused


class ChangePage(NamedTuple):
    """Part of the feed, collapsed: what changed up to and including sequence `through`."""

    records: Sequence[Record]
    deleted: Sequence[str]
    through: int
    last: bool
