"""The answer to one HTTP request, whichever stand-in gives it.

Owns: its shape.
Never does: requests, which each service reads in its own way.
Tested in: tests/integration/sandbox/{test_records,finops/test_reads}.py.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Response:
    """One answer. `record` is the URL of the record it is about, for `$1` in a batch."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    record: str | None = None
    rows: int = 0
    """How many rows a read found."""
