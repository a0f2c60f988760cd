"""Joins one row of a map with the live columns of both sides.

Owns: which columns a row means, whether they can be written, and its way across.
Never does: rows of several columns (`joined_rows.py`); the map as a whole (`compiler.py`).
Tested in: tests/unit/mapping/test_compiler.py.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from connector.errors import Problem
from connector.mapping.columns import Column
from connector.mapping.compiling.fields import Field
from connector.mapping.document import FieldRow, MapDocument
from connector.mapping.references import Beside, Lookup
from connector.mapping.transforms import translate
from connector.mapping.transforms.conversions import pairs_as_key
from connector.mapping.transforms.fitting import compared_by_date, fitted, named
from connector.mapping.transforms.route import Impassable, Leg, way
from connector.mapping.transforms.scalars import canonical
from connector.mapping.transforms.translate import Untranslatable
from connector.mapping.values import Side, ValueType


class Stopped(Exception):
    """This row cannot be compiled; the finding is recorded."""


class RowCompiler:
    """The rows of one document; findings and columns are gathered on the way."""

    def __init__(
        self,
        document: MapDocument,
        commerce: Mapping[str, Column],
        dataverse: Mapping[str, Column],
        lookup_columns: Callable[[str], Mapping[str, Column]],
    ) -> None:
        self.document = document
        self.live: dict[Side, Mapping[str, Column]] = {
            Side.COMMERCE: {name.casefold(): column for name, column in commerce.items()},
            Side.DATAVERSE: dataverse,
        }
        self.lookup_columns = lookup_columns
        self.problems: list[Problem] = []
        self.columns: dict[Side, list[Column]] = {side: [] for side in Side}
        self.lookups: list[Lookup] = []

    def problem(
        self, index: int, part: str, code: str, message: str, remedy: str, severity: str = "error"
    ) -> None:
        """Record a finding about a part of a row."""
        subject = self.document.field_subject(index, part)
        self.problems.append(Problem(code, message, remedy, subject, severity))

    def field(self, index: int, row: FieldRow) -> Field | None:
        """The field of a row that names one column of each side at most."""
        if row.key and "." in (row.dataverse or ""):
            return self._named_key(index, row)
        commerce = self.column(index, Side.COMMERCE, row.commerce)
        name, _, dotted = (row.dataverse or "").partition(".")
        dataverse = self.column(index, Side.DATAVERSE, name or None)
        if (row.commerce and commerce is None) or (name and dataverse is None):
            return None
        to_dataverse, to_commerce = Side.DATAVERSE in row.ways, Side.COMMERCE in row.ways
        if row.key and commerce and dataverse:
            self._pairs(index, commerce, dataverse)
        self.writable(index, row, commerce, dataverse)
        try:
            lookup = self.lookup(index, dataverse, dotted)
            ways = self.ways(index, row, commerce, dataverse, lookup)
        except Stopped:
            return None
        forward, backward = fitted(ways, commerce, dataverse, lookup)
        return Field(
            name=row.name,
            commerce=commerce.name if commerce else None,
            dataverse=dataverse.name if dataverse else None,
            commerce_index=self.slot(Side.COMMERCE, commerce),
            dataverse_index=self.slot(Side.DATAVERSE, dataverse),
            to_dataverse=to_dataverse,
            to_commerce=to_commerce,
            forward=forward,
            backward=backward,
            key=row.key,
            lookup=lookup,
            plain=lookup is None and not row.transforms,
            measure=translate.as_date
            if commerce and dataverse and compared_by_date(row, commerce, dataverse)
            else translate.identity,
            named=named(ways, lookup),
            ways=ways,
        )

    def _named_key(self, index: int, row: FieldRow) -> Field | None:
        """A key that Dataverse holds as a lookup, and that is read and written as its text.

        The side does that (`engine/through_lookups.py`), so that the key is the same on both.
        """
        commerce = self.column(index, Side.COMMERCE, row.commerce)
        name, _, dotted = (row.dataverse or "").partition(".")
        held = self.column(index, Side.DATAVERSE, name)
        try:
            lookup = self.lookup(index, held, dotted)
        except Stopped:
            return None
        if commerce is None or held is None or lookup is None:
            return None
        there = self.lookup_columns(lookup.entity)[dotted]
        dataverse = replace(
            held,
            name=f"{name}.{dotted}",
            type=there.type,
            max_length=there.max_length,
            required=False,
            reference=None,
        )
        self.live[Side.DATAVERSE] = {**self.live[Side.DATAVERSE], dataverse.name: dataverse}
        self._pairs(index, commerce, dataverse)
        self.writable(index, row, commerce, dataverse)
        ways = self.ways(index, row, commerce, dataverse, None)
        forward, backward = fitted(ways, commerce, dataverse, None)
        return Field(
            name=row.name,
            commerce=commerce.name,
            dataverse=dataverse.name,
            commerce_index=self.slot(Side.COMMERCE, commerce),
            dataverse_index=self.slot(Side.DATAVERSE, dataverse),
            to_dataverse=Side.DATAVERSE in row.ways,
            to_commerce=Side.COMMERCE in row.ways,
            forward=translate.chain(forward, translate.present(lookup)),
            backward=backward,
            key=True,
            lookup=lookup,
            plain=True,
            ways=ways,
        )

    def _pairs(self, index: int, commerce: Column, dataverse: Column) -> None:
        if not pairs_as_key(commerce, dataverse):
            self.problem(
                index,
                "key",
                "key-type",
                f"{commerce.type} and {dataverse.type} cannot pair records",
                "use columns of type text or integer as the key, or dates on both sides",
            )

    def slot(self, side: Side, column: Column | None) -> int:
        """A place in the side's image for this column; -1 for none."""
        if column is None:
            return -1
        self.columns[side].append(column)
        return len(self.columns[side]) - 1

    def column(
        self, index: int, side: Side, name: str | None, part: str | None = None
    ) -> Column | None:
        """The live column of this name; None, with a finding, where there is none."""
        if name is None:
            return None
        live = self.live[side]
        column = live.get(name.casefold() if side is Side.COMMERCE else name)
        if column is None:
            near = difflib.get_close_matches(
                name.casefold(), [known.casefold() for known in live], n=1
            )
            spelled = next(
                (c.name for n, c in live.items() if near and n.casefold() == near[0]), ""
            )
            self.problem(
                index,
                part or side.value,
                "column-unknown",
                f"{self.document.end(side).entity} has no column `{name}`",
                f"did you mean `{spelled}`?" if spelled else "see the columns of the table",
            )
            return None
        usable = column.creatable and column.updatable
        if column.secured and not (column.readable and (usable or not self._writes(index, side))):
            self.problem(
                index,
                part or side.value,
                "column-forbidden",
                f"`{name}` is under column security, and the application user may not read and "
                "write it: it would look empty to us",
                "give every application user a column security profile that allows to read, "
                "create and update this column",
            )
        elif not column.readable:
            self.problem(
                index,
                part or side.value,
                "column-unreadable",
                f"`{name}` cannot be read",
                "map another column, or make it readable for the application user",
            )
        elif column.secured and usable:
            # Whether we may is not known.
            self.problem(
                index,
                part or side.value,
                "column-secured",
                f"`{name}` is under column security: without the permission it reads as null",
                "give the application user read and update permission on this column",
                "warning",
            )
        return column

    def _writes(self, index: int, side: Side) -> bool:
        return side in self.document.fields[index].ways

    def lookup(self, index: int, column: Column | None, dotted: str) -> Lookup | None:
        """What finds the row behind a dotted name, over one step or two; raises `Stopped`."""
        if not dotted:
            return None
        entity = self.target_of(index, column)
        name, _, rest = dotted.partition(".")
        named = self.named_column(index, entity, name)
        then = self.lookup(index, named, rest)
        if then is None and named.type is not ValueType.TEXT:
            self._not_found_by(index, entity, named, column)
            raise Stopped
        return self._known(Lookup(Side.DATAVERSE, entity, name, then))

    def lookup_by(
        self, index: int, column: Column | None, path: Sequence[str], names: Sequence[str]
    ) -> Lookup:
        """What finds a row by several columns, the first of them plain; raises `Stopped`.

        `path` are lookups that lead on from `column` to the table they are columns of.
        """
        entity = self.target_of(index, column)
        if path:
            named = self.named_column(index, entity, path[0])
            then = self.lookup_by(index, named, path[1:], names)
            return self._known(Lookup(Side.DATAVERSE, entity, path[0], then))
        beside: list[Beside] = []
        for place, name in enumerate(names):
            bare, _, dotted = name.partition(".")
            there = self.named_column(index, entity, bare)
            further = self.lookup(index, there, dotted)
            texts = {ValueType.TEXT} if place == 0 else {ValueType.TEXT, ValueType.INTEGER}
            if further is None and there.type not in texts:
                self._not_found_by(index, entity, there, column)
                raise Stopped
            beside.append(Beside(bare, further))
        first, *others = beside
        return self._known(Lookup(Side.DATAVERSE, entity, first.column, beside=others))

    def _known(self, lookup: Lookup) -> Lookup:
        self.lookups.append(lookup)
        return lookup

    def target_of(self, index: int, column: Column | None) -> str:
        """The table a lookup column points to; raises `Stopped`."""
        if column is not None and column.reference is not None:
            return column.reference.entity
        several = self.document.fields[index].lookup is not None
        self.problem(
            index,
            "dataverse",
            "lookup-not-a-reference",
            "`lookup` needs a lookup column under `dataverse`"
            if several
            else "a dotted name needs a lookup column before the dot",
            "name the lookup column, or write one row for each column"
            if several
            else "name the lookup column, or drop what stands after the dot",
        )
        raise Stopped

    def _not_found_by(self, index: int, entity: str, named: Column, column: Column | None) -> None:
        before = column.name if column is not None else "LOOKUP"
        self.problem(
            index,
            "dataverse",
            "lookup-no-text",
            f"`{named.name}` of {entity} is {named.type}; rows are found by a text",
            f"go on to a text of that row: `{before}.{named.name}.COLUMN`"
            if named.reference is not None and self.document.fields[index].lookup is None
            else f"go on to a text of that row: `{named.name}.COLUMN`"
            if named.reference is not None
            else "name a text column, best one with an alternate key",
        )

    def named_column(self, index: int, entity: str, name: str) -> Column:
        """A column of a table a lookup points to; raises `Stopped`."""
        known = self.lookup_columns(entity)
        if name not in known:
            near = difflib.get_close_matches(name, list(known), n=1)
            self.problem(
                index,
                "dataverse" if self.document.fields[index].lookup is None else "lookup",
                "column-unknown",
                f"{entity} has no column `{name}`",
                f"did you mean `{near[0]}`?" if near else "see the columns of the table",
            )
            raise Stopped
        return known[name]

    def writable(
        self, index: int, row: FieldRow, commerce: Column | None, dataverse: Column | None
    ) -> None:
        """Find columns that cannot take what the row writes to them."""
        for column, side in ((commerce, Side.COMMERCE), (dataverse, Side.DATAVERSE)):
            part = side.value
            if column is None or side not in row.ways or column.secured:
                continue
            if not (column.creatable or column.updatable):
                self.problem(
                    index,
                    part,
                    "column-read-only",
                    f"`{column.name}` cannot be written",
                    "turn the direction of this row (`>` or `<`), or map another column",
                )
            elif not column.updatable and not row.key:
                self.problem(
                    index,
                    part,
                    "column-create-only",
                    f"`{column.name}` can be set at creation only; later edits will be refused",
                    "turn the direction of this row, or map another column",
                    "warning",
                )

    # ------------------------------------------------------------------ translations

    def ways(
        self,
        index: int,
        row: FieldRow,
        commerce: Column | None,
        dataverse: Column | None,
        lookup: Lookup | None,
    ) -> Mapping[Side, Sequence[Leg]]:
        """The way to each side; a side the row does not write to may have none."""
        if row.constant is not None:
            target = commerce or dataverse
            assert target is not None
            try:
                leg = Leg("constant", translate.constant(canonical(row.constant, target)))
            except Untranslatable as error:
                raise self.stopped(index, ("constant",), error) from None
            return {Side.DATAVERSE if dataverse else Side.COMMERCE: [leg]}
        assert commerce is not None
        assert dataverse is not None
        end = Column(lookup.column, ValueType.TEXT) if lookup is not None else dataverse
        # Columns that meet without a step have to be sound both ways, also where only one is gone.
        stepped = row.transform is not None or row.back is not None
        ways: dict[Side, Sequence[Leg]] = {}
        for side in (Side.DATAVERSE, Side.COMMERCE):
            if stepped and side not in row.ways:
                continue
            try:
                ways[side] = way(row, side, commerce, end)
            except Impassable as error:
                raise self.stopped(index, error.at, error.error) from None
        return ways

    def stopped(self, index: int, at: tuple[str | int, ...], error: Untranslatable) -> Stopped:
        """Record why a row has no way across; what to raise."""
        subject = self.document.field_subject(index, *at)
        self.problems.append(Problem(error.code, error.message, error.remedy, subject))
        return Stopped()
