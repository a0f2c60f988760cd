"""Operations made ready to be sent.

Owns: the request of one operation, or its outcome where it cannot be sent.
Never does: sending (`sending.py`), looking at rows (`writes.py`).
Tested in: tests/unit/endpoints/odata_v2/test_batches.py, test_writes.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pyodata.v2.service import ODataHttpRequest

from connector.endpoints.base import (
    Create,
    Delete,
    Missing,
    Operation,
    Outcome,
    Rejected,
    Update,
)
from connector.endpoints.odata_v2 import batches
from connector.endpoints.odata_v2.keys import KeyValues, id_of, key_in, parse_id
from connector.endpoints.odata_v2.metadata import Table
from connector.endpoints.odata_v2.rows import SEEN, etag_of
from connector.mapping.values import Value, has_control


@dataclass(frozen=True, slots=True)
class Step:
    """One operation on its way, with its place in the call."""

    place: int
    operation: Operation
    request: ODataHttpRequest
    key: KeyValues | None
    """None for a create whose key the service makes up."""
    id: str
    """The canonical id; without a key the one that was proposed."""
    item: Mapping[str, Any]
    """What is written, as JSON."""

    @property
    def guarded(self) -> bool:
        """Whether the service itself refuses it for a row that changed."""
        return "If-Match" in self.request.get_headers()


class Preparation:
    """Steps on one table; `method` is that of an update: PATCH, MERGE or PUT."""

    def __init__(self, table: Table, method: str) -> None:
        self._table = table
        self._method = method

    def step(self, place: int, operation: Operation) -> Step | Outcome:
        """The request of an operation, or its outcome where none needs to be sent."""
        table = self._table
        if isinstance(operation, Create):
            item = self._encoded(operation.values)
            if isinstance(item, Rejected):
                return item
            key = key_in(table, operation.values)
            id = operation.id if key is None else id_of(table, key)
            return Step(place, operation, batches.create(table, item), key, id, item)
        key = parse_id(table, operation.id)
        if key is None:
            return Missing()
        etag = self._etag(operation.version)
        if isinstance(operation, Delete):
            request = batches.delete(table, key, etag)
            return Step(place, operation, request, key, id_of(table, key), {})
        values = self._without_key(operation.values, key)
        item = values if isinstance(values, Rejected) else self._encoded(values)
        if isinstance(item, Rejected):
            return item
        request = batches.update(table, key, self._method, item, etag)
        return Step(place, operation, request, key, id_of(table, key), item)

    def completed(self, step: Step, entity: Mapping[str, Any]) -> Step:
        """A PUT that leaves all other properties as they are: it replaces the whole row."""
        assert step.key is not None
        keys = {field.name for field in self._table.keys}
        declared = {one.name for one in self._table.declared.entity_type.proprties()} - keys
        whole = {name: value for name, value in entity.items() if name in declared}
        assert isinstance(step.operation, Update)
        etag = self._etag(step.operation.version)
        if etag == "*":
            etag = etag_of(entity) or etag
        request = batches.update(self._table, step.key, "PUT", {**whole, **step.item}, etag)
        return replace(step, request=request)

    def _etag(self, version: str | None) -> str | None:
        """The precondition of a request: none where the service has no ETags to compare."""
        if version is None:
            return "*" if self._table.versioned else None
        return None if version.startswith(SEEN) else version

    def _without_key(
        self, values: Mapping[str, Value], key: KeyValues
    ) -> Mapping[str, Value] | Rejected:
        """What an update may change: the key of a row is its name, and stays."""
        fields = zip(self._table.keys, key, strict=True)
        parts = {field.name.casefold(): part for field, part in fields}
        for name, value in values.items():
            if name.casefold() in parts and value != parts[name.casefold()]:
                return Rejected("key-fixed", "the service names a row by its key: it stays", name)
        return {name: value for name, value in values.items() if name.casefold() not in parts}

    def _encoded(self, values: Mapping[str, Value]) -> dict[str, Any] | Rejected:
        item: dict[str, Any] = {}
        for field, value in zip(self._table.select(list(values)), values.values(), strict=True):
            if has_control(value):
                text = "the text holds a control character, which no key and no name has"
                return Rejected("text-control-character", text, field.name)
            try:
                item[field.name] = field.encoded(value)
            except (ValueError, TypeError, AttributeError) as error:
                return Rejected("value-unfit", f"{field.name}: {error}", field.name)
        return item


def waves(steps: Sequence[Step]) -> list[list[Step]]:
    """Steps that may leave together: of several on one row, each in a wave of its own."""
    found: list[list[Step]] = []
    turns: dict[str, int] = {}
    for step in steps:
        turn = turns.get(step.id.casefold(), 0)
        turns[step.id.casefold()] = turn + 1
        if turn == len(found):
            found.append([])
        found[turn].append(step)
    return found
