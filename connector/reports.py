"""Reports for spreadsheets, data frames and browsers.

Owns: writing findings and planned changes to CSV, Parquet and HTML, in slices, so that memory
stays flat.
Never does: judging them. pandas is imported only when a report is asked for that needs it.
Tested in: tests/unit/test_reports.py.
"""

from __future__ import annotations

import html
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol, TypeVar

from connector.engine.proof.rehearse import Planned
from connector.engine.proof.verify import Finding
from connector.errors import UsageError
from connector.mapping.values import Value

SLICE = 10_000
"""Rows held in memory before they are written."""

COLUMNS = ("map", "key", "record", "verdict", "field", "commerce", "dataverse", "reason")
PLANNED_COLUMNS = ("map", "key", "record", "what", "side", "field", "before", "after", "reason")

T = TypeVar("T")
Row = tuple[Any, ...]
Write = Callable[[str, Finding], None]
WritePlanned = Callable[[str, Planned], None]


@contextmanager
def findings_report(path: Path | None) -> Iterator[Write]:
    """A callback (map, finding) that writes to a .csv, .parquet or .html file; None nowhere.

    Raises `UsageError` (`report-format`, `report-unwritable`).
    """
    with _report(path, COLUMNS, _finding_row) as write:
        yield write


@contextmanager
def planned_report(path: Path | None) -> Iterator[WritePlanned]:
    """The same for planned changes."""
    with _report(path, PLANNED_COLUMNS, _planned_row) as write:
        yield write


@contextmanager
def _report(
    path: Path | None, columns: Sequence[str], row_of: Callable[[str, T], Row]
) -> Iterator[Callable[[str, T], None]]:
    if path is None:
        yield lambda _map, _one: None
        return
    sink = _sink(path, columns)
    rows: list[Row] = []

    def write(map: str, one: T) -> None:
        rows.append(row_of(map, one))
        if len(rows) >= SLICE:
            sink.add(rows)
            rows.clear()

    try:
        yield write
        sink.add(rows)
    finally:
        sink.close()


class _Sink(Protocol):
    def add(self, rows: list[Row]) -> None: ...
    def close(self) -> None: ...


def _sink(path: Path, columns: Sequence[str]) -> _Sink:
    kinds: dict[str, Callable[[Path, Sequence[str]], _Sink]] = {
        ".csv": _Csv,
        ".parquet": _Parquet,
        ".html": _Html,
    }
    if path.suffix not in kinds:
        raise UsageError(
            "report-format",
            f"a report is a .csv, .parquet or .html file, not `{path.name}`",
            remedy="end the name in .csv, .parquet or .html",
        )
    try:
        return kinds[path.suffix](path, columns)
    except OSError as error:
        raise UsageError(
            "report-unwritable",
            f"{path} cannot be written",
            cause=error.strerror,
            remedy="choose a folder that exists and that this user may write to",
        ) from error


def _finding_row(map: str, finding: Finding) -> Row:
    return (
        map,
        finding.key,
        finding.record,
        finding.verdict,
        finding.field,
        _text(finding.commerce),
        _text(finding.dataverse),
        finding.reason,
    )


def _planned_row(map: str, planned: Planned) -> Row:
    return (
        map,
        planned.key,
        planned.record,
        planned.what,
        None if planned.side is None else planned.side.value,
        planned.field,
        _text(planned.before),
        _text(planned.after),
        planned.reason,
    )


def _text(values: Mapping[str, Value] | None) -> str | None:
    return None if values is None else json.dumps(dict(values), default=str, ensure_ascii=False)


def _frame(rows: list[Row], columns: Sequence[str]) -> Any:
    import pandas as pd

    frame = pd.DataFrame(rows, columns=list(columns))
    return frame.astype({name: "string" for name in columns if name != "record"}).astype(
        {"record": "Int64"}
    )


class _Csv:
    def __init__(self, path: Path, columns: Sequence[str]) -> None:
        self._file = path.open("w", encoding="utf-8", newline="")
        self._columns = columns
        self._head = True

    def add(self, rows: list[Row]) -> None:
        _frame(rows, self._columns).to_csv(self._file, index=False, header=self._head)
        self._head = False

    def close(self) -> None:
        self._file.close()


class _Parquet:
    def __init__(self, path: Path, columns: Sequence[str]) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        texts = [pa.field(name, pa.string()) for name in columns]
        fields = [pa.field("record", pa.int64()) if f.name == "record" else f for f in texts]
        self._columns = columns
        self._schema = pa.schema(fields)
        self._writer = pq.ParquetWriter(path, self._schema)

    def add(self, rows: list[Row]) -> None:
        import pyarrow as pa

        frame = _frame(rows, self._columns)
        table = pa.Table.from_pandas(frame, schema=self._schema, preserve_index=False)
        self._writer.write_table(table)

    def close(self) -> None:
        self._writer.close()


class _Html:
    """One page with one table; what a record holds is text in it, never markup."""

    def __init__(self, path: Path, columns: Sequence[str]) -> None:
        self._file = path.open("w", encoding="utf-8")
        self._file.write(
            '<!doctype html>\n<html lang="en"><meta charset="utf-8"><title>dualwrite</title>\n'
            "<style>body{font:14px sans-serif}table{border-collapse:collapse}"
            "td,th{border:1px solid #bbb;padding:2px 6px;text-align:left;vertical-align:top}"
            "</style>\n<table>\n"
        )
        self._write("th", columns)

    def add(self, rows: list[Row]) -> None:
        for row in rows:
            self._write("td", row)

    def _write(self, cell: str, row: Sequence[Any]) -> None:
        texts = ("" if value is None else html.escape(str(value)) for value in row)
        cells = "".join(f"<{cell}>{text}</{cell}>" for text in texts)
        self._file.write(f"<tr>{cells}</tr>\n")

    def close(self) -> None:
        self._file.write("</table>\n</html>\n")
        self._file.close()
