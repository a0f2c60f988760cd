"""Writes that leave together, and what becomes of each in the audit.

Owns: the shape of a batch on its way; turning a planned write into an operation, and an outcome
into the end of its audit row.
Never does: sending, settling records.
Tested in: tests/integration/engine/.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass

from connector.endpoints.base import (
    Applied,
    Create,
    Delete,
    Operation,
    Outcome,
    Rejected,
    Update,
)
from connector.engine.plan import Kind, Write
from connector.mapping.values import Side
from connector.store.record import Record
from connector.store.work import Completion


@dataclass(frozen=True, slots=True)
class Item:
    """One write on its way: the record it belongs to and its audit row."""

    record: Record
    write: Write
    operation: Operation
    change: int


@dataclass(frozen=True, slots=True)
class Batch:
    """Writes of one side that leave together."""

    number: int
    side: Side
    items: Sequence[Item]
    reply: Future[Sequence[Outcome]]
    sent: float
    """On our monotonic clock."""


def operation_of(write: Write, id: str) -> Operation:
    """What the endpoint is asked to do."""
    if write.kind is Kind.CREATE:
        return Create(id, write.values)
    if write.kind is Kind.UPDATE:
        return Update(id, write.version, write.values)
    return Delete(id, write.version)


def created_unseen(batch: Batch, outcomes: Sequence[Outcome]) -> bool:
    """Whether these are creates that were applied and told nothing: no version, image or new id."""
    return all(
        isinstance(outcome, Applied)
        and outcome.row is None
        and item.write.kind is Kind.CREATE
        and outcome.id == item.operation.id
        for item, outcome in zip(batch.items, outcomes, strict=True)
    )


def completion_of(item: Item, outcome: Outcome) -> Completion:
    """How the intent ended; what the side says comes after the reason of the write."""
    name, version, said = type(outcome).__name__.lower(), None, getattr(outcome, "text", None)
    target = None
    if isinstance(outcome, Applied):
        version = outcome.row.version if outcome.row else None
        target = outcome.id if outcome.id != item.operation.id else None
    elif isinstance(outcome, Rejected):
        said = f"{outcome.code}: {outcome.text}"
    if said and item.write.reason:
        said = f"{item.write.reason}: {said}"
    return Completion(item.change, name, version, said, target)
