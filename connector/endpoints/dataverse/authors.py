"""Who changed a row last, apart from us.

Owns: taking our own application users out of the column `modifiedby`.
Never does: deciding whose change a row is; that stands in `Row.modifier`, which stays as it is.
Tested in: tests/unit/endpoints/dataverse/test_authors.py.

A map that carries this column asks which person changed the row. What we write changes it as well:
it would travel back as if it were news of ours.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

from connector.endpoints.base import Applied, Found, Outcome, Page, Row

COLUMN = "modifiedby"


class Authors:
    """Rows with this column list, in which nobody stands where one of `ours` changed them last.

    `ours` gives user ids, and is asked only where the column is among them.
    """

    def __init__(self, columns: Sequence[str], ours: Callable[[], frozenset[str]]) -> None:
        self._places = [place for place, name in enumerate(columns) if name.lower() == COLUMN]
        self._ours = ours() if self._places else frozenset()

    def rows(self, rows: Sequence[Row]) -> Sequence[Row]:
        """These rows."""
        return [self._row(row) for row in rows] if self._places else rows

    def pages(self, pages: Iterable[Page]) -> Iterator[Page]:
        """The rows of these pages."""
        return (replace(page, rows=self.rows(page.rows)) for page in pages)

    def found(self, found: Found) -> Found:
        """The rows that were found."""
        return Found({value: list(self.rows(rows)) for value, rows in found.rows.items()})

    def outcomes(self, outcomes: Sequence[Outcome]) -> Sequence[Outcome]:
        """The rows that came back of writes."""
        return [
            one._replace(row=self._row(one.row))
            if isinstance(one, Applied) and one.row is not None
            else one
            for one in outcomes
        ]

    def _row(self, row: Row) -> Row:
        image = list(row.image)
        for place in self._places:
            if image[place] in self._ours:
                image[place] = None
        return row._replace(image=tuple(image))
