"""When the files of a folder change.

Owns: what they looked like, and waking whoever uses them once they are at rest again.
Never does: reading them.
Tested in: tests/unit/live/test_folder.py.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

LOOK = 1.0
"""Seconds between two looks; a change is told when nothing moved from one to the next."""

_Looks: TypeAlias = tuple[tuple[str, int, int, int], ...]
"""Path, time of the last change, size and inode of each file."""


def looks_of(folder: Path, suffixes: tuple[str, ...] = (".yaml", ".yml")) -> _Looks:
    """What the files of a folder look like, those of its own folders among them."""
    found = []
    for path in sorted(folder.rglob("*")):
        if path.suffix in suffixes:
            try:
                stat = path.stat()
            except OSError:
                continue  # gone since the folder was listed, or a link to nothing
            found.append((str(path), stat.st_mtime_ns, stat.st_size, stat.st_ino))
    return tuple(found)


def watching(folder: Path, changed: Callable[[], None]) -> Callable[[threading.Event], None]:
    """A task that calls `changed` when files of the folder have changed.

    What an editor or a deployment is still writing is not told of before it is at rest.
    """
    told = looks_of(folder)

    def task(ended: threading.Event) -> None:
        nonlocal told
        last = told
        while not ended.wait(LOOK):
            now = looks_of(folder)
            if now == last and now != told:
                told = now
                changed()
            last = now

    return task
