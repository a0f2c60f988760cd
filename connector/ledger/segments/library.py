"""Segment files coming into a ledger.

Owns: reading several at once, bringing in all of them or none.
Never does: judging a document (`document.py`), its statements (`store.py`).
Tested in: tests/unit/ledger/segments/test_store.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from connector.errors import ConfigError, Subject
from connector.ledger.ledger import Ledger
from connector.ledger.programs.reading import parsed, read_file
from connector.ledger.segments.document import SegmentDocument
from connector.ledger.segments.store import Imported, keep


def bring(ledger: Ledger, paths: Sequence[Path], by: str) -> list[tuple[str, Imported]]:
    """Import files: each with changed content becomes the next version of its segment.

    Raises ConfigError where any file has an error, or names what the ledger does not have;
    nothing is imported then.
    """
    read: dict[str, tuple[Path, SegmentDocument, str]] = {}
    for path in paths:
        file = read_file(path)
        document = parsed(SegmentDocument, file)
        if document.segment in read:
            raise ConfigError(
                "segment-twice",
                f"segment `{document.segment}` stands in {read[document.segment][0]} already",
                remedy="give one of the two another name",
                subject=Subject(file=str(path)),
            )
        read[document.segment] = (path, document, file.text)
    with ledger.writing(by) as transaction:
        return [
            (str(path), keep(transaction, document, text, str(path)))
            for path, document, text in read.values()
        ]
