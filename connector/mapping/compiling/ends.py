"""One end of a map against the live table: its active mark, its filter, its required columns.

Owns: what belongs to a side as a whole and to no row of the map.
Never does: fields; `compiler.py` does.
Tested in: tests/unit/mapping/test_compiler.py, tests/unit/mapping/test_filters.py.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping

from connector.errors import Problem
from connector.mapping.columns import Column
from connector.mapping.document import MapDocument
from connector.mapping.filters.conditions import RowFilter, compile_filter
from connector.mapping.filters.text import BadFilter
from connector.mapping.transforms.scalars import canonical
from connector.mapping.transforms.translate import Untranslatable
from connector.mapping.values import Side, Value


class End:
    """One side of a document; what is wrong with it is gathered in `problems`.

    `live` are the table's columns by the name a map is matched with, `columns` those the image
    holds so far; a column only the active mark or the filter needs is added at their end.
    """

    def __init__(
        self,
        document: MapDocument,
        side: Side,
        live: Mapping[str, Column],
        columns: list[Column],
    ) -> None:
        self.document = document
        self.side = side
        self.live = live
        self.columns = columns
        self.problems: list[Problem] = []

    def inactive(self) -> tuple[int, Value] | None:
        """Where the side's image holds its active mark, and the value that means inactive."""
        inactive = self.document.end(self.side).inactive
        if inactive is None:
            return None
        column = self.live.get(self._spelled(inactive.column))
        if column is None:
            entity = self.document.end(self.side).entity
            names = [one.name for one in self.live.values()]
            near = difflib.get_close_matches(inactive.column, names, n=1)
            hint = f"did you mean `{near[0]}`?" if near else "name a column that can be updated"
            self._inactive_wrong("column", f"{entity} has no column `{inactive.column}`", hint)
            return None
        if not column.updatable:
            hint = "name a column that can be updated"
            self._inactive_wrong("column", f"`{column.name}` cannot be updated", hint)
            return None
        try:
            value = canonical(inactive.value, column)
        except Untranslatable as error:
            self._inactive_wrong("value", error.message, error.remedy)
            return None
        return self._place(column), value

    def filter(self) -> RowFilter | None:
        """The filter over the side's images."""
        text = self.document.end(self.side).filter
        if text is None:
            return None
        try:
            compiled = compile_filter(text, self.live, self._spelled)
        except BadFilter as error:
            self._problem("filter", error.code, error.message, error.remedy)
            return None
        for column in compiled.columns:
            if column.secured:
                self._problem(
                    "filter",
                    "column-secured",
                    f"`{column.name}` is under column security: without the permission it reads "
                    "as null, and the filter decides by that",
                    "give the application user read permission on this column",
                    "warning",
                )
        return RowFilter(compiled, tuple([self._place(column) for column in compiled.columns]))

    def check_required(self) -> None:
        """Find required columns that no row fills where records are created on this side."""
        document, side = self.document, self.side
        if not any(row.key and side in row.ways for row in document.fields):
            return
        names = (
            name
            for row in document.fields
            if side in row.ways
            for name in (
                document.commerce_columns(row) if side is Side.COMMERCE else [row.dataverse or ""]
            )
        )
        filled = {name.split(".")[0].casefold() for name in names}
        for column in self.live.values():
            if column.required and column.creatable and column.name.casefold() not in filled:
                self._problem(
                    None,
                    "column-required",
                    f"{document.end(side).entity} requires `{column.name}`, which no row fills",
                    f"map the column towards {side}, or give it a `constant`",
                )

    def check_owner(self) -> None:
        """Find an owner for rows that nobody owns."""
        if self.side is not Side.DATAVERSE or self.document.dataverse.owner is None:
            return
        if "ownerid" not in self.live:
            self._problem(
                "owner",
                "owner-unowned",
                f"rows of {self.document.dataverse.entity} belong to the organization, nobody owns "
                "them",
                "take `owner` away",
            )

    def _spelled(self, name: str) -> str:
        """How a written name is looked up: commerce names match without case."""
        return name.casefold() if self.side is Side.COMMERCE else name

    def _place(self, column: Column) -> int:
        """Where the image holds a column, at its end if no row of the map brought it."""
        for place, known in enumerate(self.columns):
            if known.name == column.name:
                return place
        self.columns.append(column)
        return len(self.columns) - 1

    def _inactive_wrong(self, part: str, message: str, remedy: str) -> None:
        subject = self.document.file.subject(
            self.side.value, "inactive", part, map=self.document.map
        )
        self.problems.append(Problem("inactive-wrong", message, remedy, subject))

    def _problem(
        self, part: str | None, code: str, message: str, remedy: str, severity: str = "error"
    ) -> None:
        parts = (self.side.value, part) if part is not None else (self.side.value,)
        subject = self.document.file.subject(*parts, map=self.document.map)
        self.problems.append(Problem(code, message, remedy, subject, severity))
