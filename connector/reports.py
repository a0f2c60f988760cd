"""Reports for spreadsheets and data frames.

Owns: writing findings to CSV and Parquet, in slices, so that memory stays flat.
Never does: judging them. pandas is imported only when a report is asked for.
Tested in: tests/unit/test_reports.py.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from connector.engine.verify import Finding
from connector.errors import UsageError
from connector.mapping.values import Value

SLICE = 10_000
"""Findings held in memory before they are written."""

COLUMNS = ("map", "key", "record", "verdict", "field", "commerce", "dataverse", "reason")

Write = Callable[[str, Finding], None]


@contextmanager
def findings_report(path: Path | None) -> Iterator[Write]:
    """A callback (map, finding) that writes to a .csv or .parquet file; None writes nowhere.

    Raises `UsageError` (`report-format`, `report-unwritable`).
    """
    if path is None:
        yield lambda _map, _finding: None
        return
    if path.suffix not in (".csv", ".parquet"):
        raise UsageError(
            "report-format",
            f"a report is a .csv or a .parquet file, not `{path.name}`",
            remedy="end the name in .csv or .parquet",
        )
    try:
        sink = _Csv(path) if path.suffix == ".csv" else _Parquet(path)
    except OSError as error:
        raise UsageError(
            "report-unwritable",
            f"{path} cannot be written",
            cause=error.strerror,
            remedy="choose a folder that exists and that this user may write to",
        ) from error
    rows: list[tuple[Any, ...]] = []

    def write(map: str, finding: Finding) -> None:
        rows.append(_row(map, finding))
        if len(rows) >= SLICE:
            sink.add(rows)
            rows.clear()

    try:
        yield write
        sink.add(rows)
    finally:
        sink.close()


def _row(map: str, finding: Finding) -> tuple[Any, ...]:
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


def _text(values: Mapping[str, Value] | None) -> str | None:
    return None if values is None else json.dumps(dict(values), default=str, ensure_ascii=False)


def _frame(rows: list[tuple[Any, ...]]) -> Any:
    import pandas as pd

    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    return frame.astype({name: "string" for name in COLUMNS if name != "record"}).astype(
        {"record": "Int64"}
    )


class _Csv:
    def __init__(self, path: Path) -> None:
        self._file = path.open("w", encoding="utf-8", newline="")
        self._head = True

    def add(self, rows: list[tuple[Any, ...]]) -> None:
        _frame(rows).to_csv(self._file, index=False, header=self._head)
        self._head = False

    def close(self) -> None:
        self._file.close()


class _Parquet:
    def __init__(self, path: Path) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        texts = [pa.field(name, pa.string()) for name in COLUMNS]
        fields = [pa.field("record", pa.int64()) if f.name == "record" else f for f in texts]
        self._schema = pa.schema(fields)
        self._writer = pq.ParquetWriter(path, self._schema)

    def add(self, rows: list[tuple[Any, ...]]) -> None:
        import pyarrow as pa

        table = pa.Table.from_pandas(_frame(rows), schema=self._schema, preserve_index=False)
        self._writer.write_table(table)

    def close(self) -> None:
        self._writer.close()
