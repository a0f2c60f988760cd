"""What became of each export run, on disk: begun, under a job, done with these keys, or lost.

Owns: the files of one folder, their order and durability.
Never does: exporting (`runs.py`); deciding what a lost run means (`detection.py`).
Tested in: tests/unit/endpoints/finops/exports/test_journal.py.

Running an export moves the service's own mark at once, so what a run told of stands here, synced to
the disk, before a position counts it. Runs are numbered; each has up to three files:

    00000007.begun   made before the service is asked; who asked, and when
    00000007.job     the execution the service answered with
    00000007.done    the end: a line that says how, then one key a line

A number belongs to whoever makes its `begun`, an end to whoever makes `done`: both are made whole
under another name and linked, which fails where the name is taken. So several processes may go on
with one run, and none of them has to be alive for another to end it.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO, Any

import orjson

from connector.errors import StateError

_BEGUN, _JOB, _DONE = ".begun", ".job", ".done"
_ID = "journal.json"
_HEAD = 100
"""Bytes of a first line that is written twice."""


@dataclass(frozen=True, slots=True)
class Begun:
    """A run that has not ended."""

    number: int
    holder: str
    """The process that began it, as leases name it."""
    at: float
    """When, in seconds since the epoch."""
    execution: str | None
    """The job; None while the service has not answered."""


@dataclass(frozen=True, slots=True)
class Done:
    """A run that has ended."""

    number: int
    keys: int
    """How many keys it told of."""
    at: float
    lost: str | None = None
    """Why what it told is not known."""


class Journal:
    """The runs of one export project for one entity. Safe from several threads and processes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        with self._writing():
            folder.mkdir(parents=True, exist_ok=True)
            self.id = self._own_id()
            """Of this folder; a position that names another one is of no use here."""

    # ------------------------------------------------------------------------ reading

    def pending(self) -> Begun | None:
        """The first run that has not ended."""
        open_ones = set(self._numbers(_BEGUN)).difference(self._numbers(_DONE))
        if not open_ones:
            return None
        number = min(open_ones)
        begun = self._read(number, _BEGUN) or {"holder": "", "at": 0.0}  # damaged: nobody's
        job = self._read(number, _JOB)
        execution = None if job is None else str(job["execution"])
        return Begun(number, str(begun["holder"]), float(begun["at"]), execution)

    def head(self) -> int:
        """The last run of those that have all ended; 0 where there is none."""
        pending = self.pending()
        return max(self._numbers(_DONE), default=0) if pending is None else pending.number - 1

    def last(self) -> Done | None:
        """The run at the head; None where there is none."""
        runs = self.after(self.head() - 1) if self.head() else None
        return runs[-1] if runs else None

    def after(self, number: int) -> list[Done] | None:
        """The runs above a number up to the head, in order; None where some are not known here."""
        found: list[Done] = []
        head = self.head()
        for one in range(number + 1, head + 1):
            told = self._read(one, _DONE)
            if told is None:
                return None
            found.append(Done(one, told["keys"], told["at"], told["lost"]))
        return found if number <= head else None

    def keys(self, number: int, skip: int = 0) -> Iterator[str]:
        """The keys a run told of, in its order, without the first `skip`.

        Fewer than the run had where its file is damaged or gone.
        """
        damaged = suppress(FileNotFoundError, orjson.JSONDecodeError)
        with damaged, self._path(number, _DONE).open("rb") as file:
            for line in islice(file, skip + 1, None):
                yield orjson.loads(line)

    # ------------------------------------------------------------------------ writing

    def begin(self, holder: str, now: float) -> Begun | None:
        """Claim the next number; None where somebody else was faster, or a run has not ended."""
        if self.pending() is not None:
            return None
        number = self.head() + 1
        with self._writing():
            made = self._make(self._path(number, _BEGUN), {"holder": holder, "at": now})
        return Begun(number, holder, now, None) if made else None

    def note(self, number: int, execution: str) -> None:
        """The service answered: this is the job."""
        with self._writing():
            self._make(self._path(number, _JOB), {"execution": execution})

    def end(self, number: int, keys: Iterable[str], now: float) -> None:
        """The run told of these keys; they are on disk when this returns.

        Where another process has given the run up meanwhile, they stand under a number of their
        own: whoever counted the run as lost has not seen them.
        """
        with self._writing():
            end = self._path(number, _DONE)
            path = _temporary(end)
            try:
                self._write_keys(path, keys, now)
                if not self._link(path, end) and self._is_lost(number):
                    self._end_anew(path, now)
            finally:
                path.unlink(missing_ok=True)

    def lose(self, number: int, why: str, now: float) -> None:
        """What the run told of will never be known; nothing where it ended meanwhile."""
        with self._writing():
            self._make(self._path(number, _DONE), {"keys": 0, "at": now, "lost": why})

    def forget(self, before: float) -> None:
        """Remove runs that ended before a time, but not the newest: numbers never start anew."""
        for number in self._numbers(_DONE)[:-1]:
            done = self._read(number, _DONE)
            if done is None or done["at"] >= before:
                return
            with self._writing():
                for path in sorted(self._folder.glob(f"{number:08d}.*")):
                    path.unlink(missing_ok=True)

    # ------------------------------------------------------------------------ files

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise StateError(
                "snapshot-unwritable",
                f"the folder of exports {self._folder} cannot be used",
                cause=error.strerror or str(error),
                remedy="make room there and let this user write to it, or name another folder, of "
                "a disk with hard links, as `changes.folder` of this side",
            ) from error

    def _own_id(self) -> str:
        path = self._folder / _ID
        if not path.exists():
            self._make(path, {"id": uuid.uuid4().hex})
        found: str = orjson.loads(path.read_bytes())["id"]
        return found

    def _numbers(self, suffix: str) -> list[int]:
        return sorted(int(one.stem) for one in self._folder.glob(f"[0-9]*{suffix}"))

    def _path(self, number: int, suffix: str) -> Path:
        return self._folder / f"{number:08d}{suffix}"

    def _read(self, number: int, suffix: str) -> dict[str, Any] | None:
        try:
            with self._path(number, suffix).open("rb") as file:
                found: dict[str, Any] = orjson.loads(file.readline())
                return found
        except (FileNotFoundError, orjson.JSONDecodeError):
            return None

    def _is_lost(self, number: int) -> bool:
        told = self._read(number, _DONE)
        return told is not None and told["lost"] is not None

    def _end_anew(self, path: Path, now: float) -> None:
        number = self.head() + 1
        while not self._make(self._path(number, _BEGUN), {"holder": "", "at": now}):
            number += 1
        self._link(path, self._path(number, _DONE))

    def _write_keys(self, path: Path, keys: Iterable[str], now: float) -> None:
        """The count stands in the first line, which has room for it from the beginning."""
        count = 0
        with path.open("xb") as file:
            file.write(_head(0, now))
            for key in keys:
                file.write(orjson.dumps(key) + b"\n")
                count += 1
            file.seek(0)
            file.write(_head(count, now))
            _sync(file)

    def _make(self, path: Path, told: Mapping[str, Any]) -> bool:
        """A whole file under a name that is free; False where it is taken."""
        temporary = _temporary(path)
        try:
            with temporary.open("xb") as file:
                file.write(orjson.dumps(told) + b"\n")
                _sync(file)
            return self._link(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)

    def _link(self, path: Path, name: Path) -> bool:
        try:
            os.link(path, name)
        except FileExistsError:
            return False
        if os.name == "posix":
            folder = os.open(self._folder, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        return True


def _temporary(path: Path) -> Path:
    return path.with_suffix(f".{uuid.uuid4().hex}")


def _head(keys: int, at: float) -> bytes:
    """The first line of an end that is known; of one length whatever the count."""
    return orjson.dumps({"keys": keys, "at": at, "lost": None}).ljust(_HEAD) + b"\n"


def _sync(file: IO[bytes]) -> None:
    file.flush()
    os.fsync(file.fileno())
