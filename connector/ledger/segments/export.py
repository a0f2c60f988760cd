"""The cards of a segment as a CSV file: the hand-over to whoever writes to customers.

Owns: the file, and cells that no spreadsheet takes for a formula.
Never does: sending anything; knowing what a column holds (`columns.py`).
Tested in: tests/unit/ledger/segments/test_export.py.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TextIO

from connector.errors import UsageError
from connector.ledger.ledger import Ledger
from connector.ledger.segments.columns import DEFAULT, Columns
from connector.ledger.segments.picking import members
from connector.ledger.segments.store import found

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def export(
    ledger: Ledger,
    segment: str,
    path: Path,
    columns: Sequence[str] = DEFAULT,
    on: date | None = None,
) -> int:
    """Write one line per card, by card number; how many.

    UTF-8 with a byte order mark, as word processors and spreadsheets expect it. The file is there
    when it is complete. Raises UsageError: `segment-unknown`, `export-column`,
    `report-unwritable`.
    """
    day = on or ledger.today()
    with ledger.reading() as connection:
        document = found(connection, segment).document
        chosen = Columns(connection, columns, day)
        with _written(path) as file:
            write = csv.writer(file)
            write.writerow([safe(name) for name in chosen.names])
            count = 0
            for page in members(connection, document, day, ledger.zone):
                count += len(page)
                write.writerows([safe(cell) for cell in row] for row in chosen.rows(page))
    return count


def safe(cell: object) -> str:
    """A cell as text; a text that a spreadsheet would calculate begins with an apostrophe."""
    if cell is None:
        return ""
    text = str(cell)
    return f"'{text}" if isinstance(cell, str) and text.startswith(_FORMULA) else text


@contextmanager
def _written(path: Path) -> Iterator[TextIO]:
    """A file to be filled, which takes its name at the end; nothing is left of a failure."""
    part = path.with_name(f"{path.name}.part")
    try:
        with part.open("w", encoding="utf-8-sig", newline="") as file:
            yield file
        part.replace(path)
    except OSError as error:
        raise UsageError(
            "report-unwritable",
            f"{path} cannot be written",
            cause=error.strerror,
            remedy="choose a folder that exists and that this user may write to",
        ) from error
    finally:
        part.unlink(missing_ok=True)
