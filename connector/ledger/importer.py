"""Bringing a CSV file of members, cards or point kinds into the ledger.

Owns: the order of work (read, translate, find doubles, write in chunks), the count of what
happened, the list of bad lines and their file.
Never does: asking a person; keeping the file in memory.
Tested in: tests/unit/ledger/test_importer.py.
"""

from __future__ import annotations

import csv
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self, TextIO

from connector.errors import Problem, RecordError, Subject, UsageError
from connector.ledger.csv_source import KEPT_PROBLEMS, CsvSource, Line
from connector.ledger.fields import Value, fold
from connector.ledger.import_mapping import ImportMapping, RecordReader
from connector.ledger.ledger import Ledger, WriteTransaction
from connector.ledger.operations import Done, Refused, Upsert
from connector.ledger.schema import EntityType

CHUNK_RECORDS = 5_000
"""Records per transaction, and in memory at once."""

Progress = Callable[[int, int], None]
"""Told after each chunk: bytes read, bytes in all."""


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """How a file is read, and what a bad line does to the others."""

    mapping: ImportMapping = field(default_factory=ImportMapping)
    encoding: str | None = None
    delimiter: str | None = None
    strict: bool = False
    """One bad line refuses the whole file."""
    rejects: Path | None = None
    """A CSV file that receives the bad lines with their number and reason."""


@dataclass(slots=True)
class ImportReport:
    """What an import did; `read` counts records, good and bad."""

    file: str
    entity: str
    read: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    refused: int = 0
    written: bool = True
    """False when a strict import refused the file: the ledger is as it was before."""
    problems: list[Problem] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """The documented JSON form (docs/json.md)."""
        return {
            "file": self.file,
            "entity": self.entity,
            "read": self.read,
            "created": self.created,
            "updated": self.updated,
            "unchanged": self.unchanged,
            "refused": self.refused,
            "written": self.written,
            "problems": [problem.as_dict() for problem in self.problems],
        }


def import_file(
    ledger: Ledger,
    entity: EntityType,
    path: Path,
    options: ImportOptions,
    *,
    by: str,
    progress: Progress | None = None,
) -> ImportReport:
    """Insert or change one record per line of `path`, by natural key.

    Fields the file does not give stay as they are; a record that holds the same values
    already is left alone, so a second import changes nothing. Parties and operating units are
    added as needed. A bad line is reported and the others go in, in transactions of
    `CHUNK_RECORDS`; with `strict` all go in, in one transaction, or none. Raises UsageError
    and MapError when file, header and mapping do not fit, before anything is written, and
    RecordError `entity-read-only`.
    """
    if entity.read_only:
        raise entity.closed()
    refuse_rejects_over(path, options.rejects)
    source = CsvSource(path, encoding=options.encoding, delimiter=options.delimiter)
    with source, closing(_KeysSeen()) as seen:
        reader = RecordReader(entity, source.header, options.mapping)
        with Rejects(options.rejects, source) as rejects:
            run = _Import(entity, reader, seen, rejects, ImportReport(str(path), entity.name))
            chunks = run.chunks(source.lines())
            if progress is not None:
                chunks = _told(chunks, source, progress)
            if options.strict:
                _write_all_or_nothing(ledger, run, chunks, by)
            else:
                for chunk in chunks:
                    with ledger.writing(by) as transaction:
                        run.write(transaction, chunk)
    return run.report


def refuse_rejects_over(path: Path, rejects: Path | None) -> None:
    """Raise UsageError `rejects-over-source` where the bad lines would replace the file."""
    if rejects is not None and rejects.resolve() == path.resolve():
        raise UsageError(
            "rejects-over-source",
            "the rejects file is the file to import itself",
            remedy="name another path with --rejects",
            subject=Subject(file=str(path)),
        )


class _Read(NamedTuple):
    """A line and the values it gives."""

    line: Line
    values: dict[str, Value]


def _told(
    chunks: Iterable[list[_Read]], source: CsvSource, progress: Progress
) -> Iterator[list[_Read]]:
    for chunk in chunks:
        yield chunk
        progress(source.position, source.size)


class _StrictRefusal(Exception):
    """Rolls back the one transaction of a strict import that met a bad line."""


def _write_all_or_nothing(
    ledger: Ledger, run: _Import, chunks: Iterable[list[_Read]], by: str
) -> None:
    try:
        with ledger.writing(by) as transaction:
            for chunk in chunks:
                run.write(transaction, chunk)
            if run.report.refused:
                raise _StrictRefusal
    except _StrictRefusal:
        report = run.report
        report.created = report.updated = report.unchanged = 0
        report.written = False


class _Import:
    """One import under way."""

    def __init__(
        self,
        entity: EntityType,
        reader: RecordReader,
        seen: _KeysSeen,
        rejects: Rejects,
        report: ImportReport,
    ) -> None:
        self._entity = entity
        self._reader = reader
        self._seen = seen
        self._rejects = rejects
        self.report = report

    def chunks(self, lines: Iterable[Line]) -> Iterator[list[_Read]]:
        """The lines that can be written, in chunks; the others are refused here."""
        good = self._good(lines)
        while chunk := list(islice(good, CHUNK_RECORDS)):
            yield chunk

    def write(self, transaction: WriteTransaction, chunk: list[_Read]) -> None:
        """Write one chunk, count what became of it, refuse what the ledger refused."""
        wanted = [Upsert(read.values) for read in chunk]
        results = transaction.apply(self._entity, wanted, create_references=True)
        effects = Counter[str]()
        for read, result in zip(chunk, results, strict=True):
            if isinstance(result, Done):
                effects[result.effect] += 1
                continue
            assert isinstance(result, Refused), "an upsert is done or refused"
            self._refuse(read.line, self._about(read.line, result.error))
        self.report.created += effects["created"]
        self.report.updated += effects["updated"]
        self.report.unchanged += effects["unchanged"]

    def _good(self, lines: Iterable[Line]) -> Iterator[_Read]:
        key_name = self._entity.key.name
        for line in lines:
            self.report.read += 1
            if line.problem is not None:
                self._refuse(line, line.problem)
                continue
            try:
                values = self._reader.read(line.cells)
            except RecordError as error:
                self._refuse(line, self._about(line, error))
                continue
            key = values[key_name]
            first = self._seen.claim(fold(key), line.number) if isinstance(key, str) else None
            if first is None:
                yield _Read(line, values)
            else:
                self._refuse(line, self._double(line, first))

    def _refuse(self, line: Line, problem: Problem) -> None:
        self.report.refused += 1
        if len(self.report.problems) < KEPT_PROBLEMS:
            self.report.problems.append(problem)
        self._rejects.add(line, problem)

    def _about(self, line: Line, error: RecordError) -> Problem:
        found = Problem.of(error)
        place = Subject(file=self.report.file, line=line.number, field=error.subject.field)
        return replace(found, subject=place)

    def _double(self, line: Line, first: int) -> Problem:
        key_name = self._entity.key.name
        return Problem(
            "line-double",
            f"line {first} has the same {key_name}",
            "keep one of the two lines",
            Subject(file=self.report.file, line=line.number, field=key_name),
        )


class _KeysSeen:
    """The keys of one file and the line each stood on first.

    Kept in a temporary SQLite database, which spills to a file that SQLite removes itself: a
    million keys in a dict would take more memory than the whole import.
    """

    def __init__(self) -> None:
        self._database = sqlite3.connect("", isolation_level=None)
        self._database.execute("PRAGMA journal_mode = OFF")
        self._database.execute("CREATE TABLE seen (key TEXT PRIMARY KEY, line INT) WITHOUT ROWID")
        self._database.execute("BEGIN")

    def claim(self, key: str, line: int) -> int | None:
        """The line that has `key` already; None when it is this one's from now on."""
        cursor = self._database.execute("INSERT OR IGNORE INTO seen VALUES (?, ?)", (key, line))
        if cursor.rowcount:
            return None
        found = self._database.execute("SELECT line FROM seen WHERE key = ?", (key,)).fetchone()
        return int(found[0])

    def close(self) -> None:
        """Forget them."""
        self._database.close()


class Rejects:
    """The file of bad lines: `line`, `reason`, then the cells under the source's own header.

    It has the source's encoding and delimiter, so that it can be corrected and imported again
    with the same options.
    """

    def __init__(self, path: Path | None, source: CsvSource) -> None:
        self._path = path
        self._source = source
        self._file: TextIO | None = None

    def __enter__(self) -> Self:
        if self._path is not None:
            self._file = self._opened(self._path)
            self._writer = csv.writer(self._file, delimiter=self._source.delimiter)
            self._writer.writerow(["line", "reason", *self._source.header])
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._file is not None:
            self._file.close()

    def add(self, line: Line, problem: Problem) -> None:
        """One more bad line."""
        if self._file is not None:
            reason = f"{problem.message}; {problem.remedy}"
            self._writer.writerow([line.number, reason, *line.cells])

    def _opened(self, path: Path) -> TextIO:
        try:
            # Broken bytes go out as they came in (see CsvSource).
            return path.open(
                "w", encoding=self._source.encoding, errors="surrogateescape", newline=""
            )
        except OSError as error:
            raise UsageError(
                "file-unwritable",
                f"the rejects file cannot be written: {error.strerror}",
                remedy="name another path with --rejects",
                subject=Subject(file=str(path)),
            ) from error
