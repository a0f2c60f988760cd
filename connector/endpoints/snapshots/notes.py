"""Ids of rows that somebody was told of between two whole reads.

Owns: files of such ids beside the generations, and reading what is new in them.
Never does: deciding what becomes of a row (`snapshots.py`), or of a file (`folder.py`).
Tested in: tests/unit/endpoints/snapshots/test_notes.py.

A row that we created, or that a watermark, an export, an event or a read by key told of, and that
is deleted before the next whole read, stands in no generation: comparing two of them would never
tell of that delete. So its id is noted first. Each process has files of its own, and leaves them
after `OWN` seconds for new ones; what is torn at the end of one was never told.

What a compare itself tells of is in its journal, `LINE-NAME.told`, which stays until the position
it ended with has come: a run may have kept a page and died before the last one.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from connector.endpoints.base import Applied, Create, Exists, Operation, Outcome
from connector.endpoints.snapshots.entries import Entries
from connector.endpoints.snapshots.journal import add_to, whole_frames

PREFIX = "noted-"
TOLD = ".told"
"""Ends the name of the journal of a compare."""
OWN = 3600.0
"""Seconds for which a process goes on with one file."""


class Notes:
    """The notes one process takes about one table; safe from several threads at once."""

    def __init__(self, folder: Path, clock: Callable[[], float] = time.time) -> None:
        self._folder = folder
        self._clock = clock
        self._lock = threading.Lock()
        self._path: Path | None = None
        self._begun = 0.0

    def add(self, ids: Sequence[str]) -> None:
        """Note these ids, durably; raises `OSError`."""
        if not ids:
            return
        entries = Entries.of([(id, "") for id in ids])
        with self._lock:
            now = self._clock()
            if self._path is None or now - self._begun > OWN:
                self._folder.mkdir(parents=True, exist_ok=True)
                self._path, self._begun = self._folder / f"{PREFIX}{secrets.token_hex(6)}", now
            try:
                add_to(self._path, entries)
            except OSError:
                self._path = None  # what was torn here hides what would come after it
                raise


def born(operations: Sequence[Operation], outcomes: Sequence[Outcome]) -> list[str]:
    """Ids of rows that creates made or met under another id than they asked for."""
    return [
        outcome.id
        for operation, outcome in zip(operations, outcomes, strict=True)
        if isinstance(operation, Create)
        and isinstance(outcome, Applied | Exists)
        and outcome.id not in (None, operation.id)
    ]


def noted_since(
    folder: Path, line: str, known: Mapping[str, int]
) -> tuple[Entries, dict[str, int]]:
    """Ids noted above the lengths that are known, and how long each file is now.

    Compares tell those of their own line only.
    """
    parts: list[Entries] = []
    lengths: dict[str, int] = {}
    for path in sorted([*folder.glob(f"{PREFIX}*"), *folder.glob(f"{line}-*{TOLD}")]):
        lengths[path.name] = known.get(path.name, 0)
        for entries, end in whole_frames(path, lengths[path.name]):
            parts.append(entries)
            lengths[path.name] = end
    return Entries.joined(parts).latest(), lengths
