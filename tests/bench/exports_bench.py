"""Reading exported packages: from a zip on disk to the keys on disk, in each form.

The packages hold whole rows of fifteen columns, as exports do. Beside the rate stands the most
memory Python took, which must not grow with the rows. No network, no waiting for a job.
"""

from __future__ import annotations

import random
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

from connector.endpoints.finops.exports.journal import Journal
from connector.endpoints.finops.exports.package import keys_of
from tests.bench.report import Report
from tests.unit.endpoints.finops.packages import WANTED, csv_text, entity, manifest, zipped

NAME = "exports"
COLUMNS = ("CARDNUMBER", "CARDTENDERTYPE", "PARTYNUMBER", *(f"FIELD{n}" for n in range(12)))
Rows = list[tuple[str, ...]]


def bench(report: Report, rows: int) -> None:
    """Print the figures of one package of each form."""
    report.head(NAME, f"an incremental export of {rows:,} rows")
    chance = random.Random(7)
    told: Rows = [
        (f"C{n:08d}", "AsCardTender", f"P{n}", *(f"{chance.random():.6f}" for _ in range(12)))
        for n in range(rows)
    ]
    forms: dict[str, tuple[str, Callable[[Rows], bytes]]] = {
        "CSV": ("Cards.csv", lambda rows: csv_text(rows, COLUMNS).encode("utf-8-sig")),
        "CSV-Unicode": ("Cards.csv", lambda rows: csv_text(rows, COLUMNS).encode("utf-16")),
        "XML-Element": ("Cards.xml", elements),
        "XML-Attribute": ("Cards.xml", attributes),
    }
    columns = {name: name for name in COLUMNS}
    with tempfile.TemporaryDirectory() as name:
        for form, (file, made) in forms.items():
            path = Path(name) / f"{form}.zip"
            listed = manifest(entity(file, columns=columns))
            path.write_bytes(zipped({"Manifest.xml": listed, file: made(told)}))
            _measure(report, form, path, rows)


def _measure(report: Report, form: str, path: Path, rows: int) -> None:
    journal = Journal(path.with_suffix(""))
    begun = journal.begin("bench", 0.0)
    assert begun is not None
    started, busy = time.perf_counter(), time.process_time()
    journal.end(begun.number, (f"CardNumber='{k['CardNumber']}'" for k in keys_of(path, WANTED)), 0)
    seconds, busy = time.perf_counter() - started, time.process_time() - busy
    done = journal.last()
    assert done is not None
    assert done.keys == rows
    tracemalloc.start()
    for _ in keys_of(path, WANTED):
        pass
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    report.add(NAME, f"{form}, rows/s", rows / seconds, "rows/s", f"{rows / busy:,.0f} per CPU s")
    report.add(NAME, f"{form}, most memory", most / 1e6, "MB")


def elements(rows: Rows) -> bytes:
    """Values as elements; nothing in them needs escaping."""
    lines = (
        "<ROW>" + "".join(f"<{c}>{v}</{c}>" for c, v in zip(COLUMNS, row, strict=True)) + "</ROW>"
        for row in rows
    )
    return f"<Document>{''.join(lines)}</Document>".encode()


def attributes(rows: Rows) -> bytes:
    """Values as attributes."""
    lines = (
        "<ROW " + " ".join(f'{c}="{v}"' for c, v in zip(COLUMNS, row, strict=True)) + "/>"
        for row in rows
    )
    return f"<Document>{''.join(lines)}</Document>".encode()
