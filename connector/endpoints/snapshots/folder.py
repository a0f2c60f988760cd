"""The folder in which generations are kept, and how long each of them stays.

Owns: names, what ties them to a system, an entity and a column list, and cleaning up.
Never does: looking into a generation (`generation.py`), comparing.
Tested in: tests/unit/endpoints/snapshots/test_folder.py.

One folder per tie. In it, `LINE-NAME` is a generation and `LINE-NAME.rows` a journal; the line
begins with a full read and goes on with every change found. Nothing is ever written twice, so
processes that work side by side need no lock: each writes under names of its own.

A position that comes proves that it was committed, and that no later one of its line was. So what
else is of its line may go, save what a process beside us may be about to commit or to read.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from connector.endpoints.snapshots.generation import MAKING, MANIFEST
from connector.endpoints.snapshots.notes import OWN, PREFIX, TOLD

GRACE = 600.0
"""Seconds for which a generation beside the committed one stays."""
SPARE = 4
"""Most generations that stay beside the committed one, or that nobody has gone on from."""
UNFINISHED = 86_400.0
"""Seconds for which something stays that is being written."""
UNCLAIMED = 7 * 86_400.0
"""Seconds for which a full read stays that nobody has gone on from: a `verify`, a broken load."""
ABANDONED = 30 * 86_400.0
"""Seconds for which a generation stays that was in use: that of a map which is not on any more."""

_NAME = re.compile(r"([0-9a-f]{12})-[0-9a-f]{12}")
_TIE = re.compile(r"[0-9a-f]{32}")
_CLAIMED = "claimed"
_UNFINISHED = frozenset({".rows", MAKING})


class _Held(NamedTuple):
    """A generation, or something unfinished, as it lies in a folder."""

    path: Path
    line: str
    used: float
    claimed: bool
    size: int
    """Bytes of a file."""

    @property
    def whole(self) -> bool:
        """Whether it is a generation."""
        return is_name(self.path.name)


class Folder:
    """Where the generations of one entity of one system under one column list are."""

    def __init__(self, root: Path, tie: str, clock: Callable[[], float] = time.time) -> None:
        self.root = root
        self.tie = tie
        self._clock = clock

    @property
    def path(self) -> Path:
        """The folder itself; it may not be there yet."""
        return self.root / self.tie

    def begin(self) -> str:
        """A name that begins a line."""
        return f"{_word()}-{_word()}"

    def next(self, name: str) -> str:
        """A name for what follows a generation, or goes on with a journal."""
        return f"{name.partition('-')[0]}-{_word()}"

    def generation(self, name: str) -> Path:
        """Where a generation of that name is."""
        return self.path / name

    def journal(self, name: str) -> Path:
        """Where a journal of that name is."""
        return self.path / f"{name}.rows"

    def told(self, name: str) -> Path:
        """Where the journal of a compare of that name is."""
        return self.path / f"{name}{TOLD}"

    def touch(self, name: str) -> None:
        """Note that a generation is in use; raises `FileNotFoundError`."""
        now = self._clock()
        os.utime(self.generation(name) / MANIFEST, (now, now))

    def claim(self, name: str, noted: Mapping[str, int] = MappingProxyType({})) -> None:
        """The position with this generation has come: it was committed. Tidies its line.

        `noted` are files of notes and how much of each is in it: what was noted later is not.
        Nobody writes to those of processes after `OWN`.
        """
        (self.generation(name) / _CLAIMED).touch()
        line, now = name.partition("-")[0], self._clock()
        everything = list(_held(self.path))
        # A full read that nobody has gone on from yet knows of no notes either.
        alone = all(held.line == line for held in everything if held.claimed or held.whole)
        for held in everything:
            whole = held.path.name in noted and held.size <= noted[held.path.name]
            if whole and (held.line == line or (alone and now - held.used > 2 * OWN)):
                _remove(held.path)
        others = [h for h in everything if h.line == line and h.path.name != name]
        _thin([held for held in others if held.whole], now, GRACE)
        for held in others:
            if held.path.suffix in _UNFINISHED and now - held.used > UNFINISHED:
                _remove(held.path)

    def tidy(self) -> None:
        """Remove what nobody has used for long, of all ties."""
        now = self._clock()
        for folder in list(self.root.iterdir()):
            if not _TIE.fullmatch(folder.name):
                continue  # others keep their things beside ours
            everything = list(_held(folder))
            lines = {held.line for held in everything if held.claimed}
            for held in everything:
                in_use = held.line in lines or held.path.name.startswith(PREFIX)
                if now - held.used > (ABANDONED if in_use else UNCLAIMED):
                    _remove(held.path)
            loose = [held for held in everything if held.whole and held.line not in lines]
            _thin(loose, now, UNCLAIMED)
            with suppress(OSError):  # it is not empty, or gone
                if now - folder.stat().st_mtime > UNFINISHED:
                    folder.rmdir()


def tie_of(system: str, entity: str, columns: tuple[str, ...]) -> str:
    """What ties a generation to what it was read from, as 32 hexadecimal digits."""
    text = "\x1f".join((system, entity, *columns))
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def is_name(text: str) -> bool:
    """Whether a text is a name that `Folder` gives."""
    return _NAME.fullmatch(text) is not None


def _word() -> str:
    return secrets.token_hex(6)


def _held(folder: Path) -> Iterator[_Held]:
    """What lies in a folder; what another process removes meanwhile is left out."""
    for path in list(folder.iterdir()) if folder.is_dir() else ():
        match = _NAME.match(path.name)
        if match is None and not path.name.startswith(PREFIX):
            continue
        try:
            manifest = path / MANIFEST
            status = (manifest if manifest.exists() else path).stat()
        except FileNotFoundError:
            continue
        line = match.group(1) if match is not None else ""
        claimed = (path / _CLAIMED).exists()
        yield _Held(path, line, status.st_mtime, claimed, status.st_size)


def _thin(held: list[_Held], now: float, stay: float) -> None:
    """Of generations that nobody can count on, leave the last used, for `stay` seconds."""
    held.sort(key=lambda one: -one.used)
    for number, one in enumerate(held):
        if number >= SPARE or now - one.used > stay:
            _remove(one.path)


def _remove(path: Path) -> None:
    """Remove a generation or a journal, or what is left of one; another time if that fails now."""
    with suppress(OSError):
        if path.is_dir():
            # Without its manifest it is none any more, wherever the rest is interrupted.
            (path / MANIFEST).unlink(missing_ok=True)
            shutil.rmtree(path)
        else:
            path.unlink()
