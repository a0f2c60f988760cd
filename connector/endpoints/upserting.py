"""Endpoints that make rows be as they are told, whether or not they are there.

Owns: the one call beside the protocol that shows people how fresh their data is.
Never does: knowing what is shown.
Tested in: tests/unit/endpoints/dataverse/test_upserts.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, runtime_checkable

from connector.mapping.values import Value


@runtime_checkable
class Upserting(Protocol):
    """An endpoint of a system that can create or update a row by its id."""

    def upsert(self, entity: str, rows: Mapping[str, Mapping[str, Value]]) -> None:
        """Have these rows, by id, hold these values; one request for all of them.

        Nobody else's edit of them is minded. Raises `AccessError`, `MapError` and
        `UnreachableError`; then some of the rows may have been written.
        """
        ...
