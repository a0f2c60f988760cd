"""Endpoints that have something to say about a table of theirs, such as how changes are found.

Owns: the one call beside the protocol that `check` makes.
Never does: knowing what is said.
Tested in: tests/acceptance/test_finops_exports.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol, runtime_checkable

from connector.errors import Problem


@runtime_checkable
class Advising(Protocol):
    """An endpoint that looks for more than its columns tell."""

    def advice(self, entity: str) -> Iterator[Problem]:
        """Findings about one entity, asked of the live system; nothing there is changed."""
        ...
