"""Joins a document with the live columns of both sides into a map that runs.

Owns: which findings stand between a document and running it.
Never does: I/O; a finding that does not stop the map (docs/maps.md: warnings) stops nothing.
Tested in: tests/unit/mapping/test_compiler.py.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from connector.errors import MapError, Problem
from connector.mapping import translate
from connector.mapping.columns import Column
from connector.mapping.compiled import CompiledMap, Creation, Field, Group, Joined, places_of
from connector.mapping.conversions import conversion, pairs_as_key
from connector.mapping.document import FieldRow, Join, MapDocument, Policy
from connector.mapping.ends import End
from connector.mapping.fitting import compared_by_date, fitted, named, part_of_join
from connector.mapping.references import Lookup
from connector.mapping.route import Impassable, Leg, way
from connector.mapping.scalars import canonical
from connector.mapping.translate import Translation, Untranslatable
from connector.mapping.values import Side, ValueType


def compile_map(
    document: MapDocument,
    commerce: Mapping[str, Column],
    dataverse: Mapping[str, Column],
    lookup_columns: Callable[[str], Mapping[str, Column]],
) -> CompiledMap:
    """Compile, or raise `MapError` for the first of `findings` that stops the map.

    `lookup_columns` describes a table a lookup points to, by entity set name.
    """
    compiler = _Compiler(document, commerce, dataverse, lookup_columns)
    compiled = compiler.run()
    errors = [problem for problem in compiler.problems if problem.severity == "error"]
    if errors or compiled is None:
        first = errors[0]
        more = f" (and {len(errors) - 1} more: `dualwrite check`)" if len(errors) > 1 else ""
        raise MapError(first.code, first.message + more, subject=first.subject, remedy=first.remedy)
    return compiled


def findings(
    document: MapDocument,
    commerce: Mapping[str, Column],
    dataverse: Mapping[str, Column],
    lookup_columns: Callable[[str], Mapping[str, Column]],
) -> Sequence[Problem]:
    """Everything wrong or doubtful about a document against live columns."""
    compiler = _Compiler(document, commerce, dataverse, lookup_columns)
    compiler.run()
    return compiler.problems


class _Compiler:
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

    def run(self) -> CompiledMap | None:
        document = self.document
        made = [self.row(index, row) for index, row in enumerate(document.fields)]
        fields = tuple(field for row in made for field in row)
        ends = {side: End(document, side, self.live[side], self.columns[side]) for side in Side}
        inactive = {side: end.inactive() for side, end in ends.items()}
        filters = {side: end.filter() for side, end in ends.items()}
        for end in ends.values():
            end.check_required()
            self.problems += end.problems
        if any(problem.severity == "error" for problem in self.problems):
            return None
        groups = self._groups(made)
        return CompiledMap(
            document=document,
            fields=fields,
            groups=groups,
            columns={side: tuple(columns) for side, columns in self.columns.items()},
            keys={side: tuple(f.index(side) for f in fields if f.key) for side in Side},
            lookups=tuple(self.lookups),
            places={side: places_of(groups, side) for side in Side},
            creations={side: Creation.on(side, groups, self.columns[side]) for side in Side},
            inactive={side: mark for side, mark in inactive.items() if mark is not None},
            filters={side: made for side, made in filters.items() if made is not None},
        )

    def problem(
        self, index: int, part: str, code: str, message: str, remedy: str, severity: str = "error"
    ) -> None:
        subject = self.document.field_subject(index, part)
        self.problems.append(Problem(code, message, remedy, subject, severity))

    # ------------------------------------------------------------------ one row

    def row(self, index: int, row: FieldRow) -> Sequence[Field]:
        """The fields a row becomes: one, or with joined columns one more for each of them."""
        if row.join is not None:
            return self._joined_fields(index, row, row.join)
        field = self.field(index, row)
        return [] if field is None else [field]

    def _joined_fields(self, index: int, row: FieldRow, join: Join) -> Sequence[Field]:
        parts: list[Field] = []
        texts: list[Translation] = []
        for name in join.columns:
            column = self._column(index, Side.COMMERCE, name, "join")
            if column is None:
                return []
            text = conversion(None, column, Column(name, ValueType.TEXT))
            if text is None:
                self.problem(
                    index,
                    "join",
                    "type-mismatch",
                    f"`{column.name}` ({column.type}) is no text to be joined",
                    "join texts and numbers",
                )
                return []
            texts.append(text)
            parts.append(part_of_join(column, self._slot(Side.COMMERCE, column)))
        places = tuple(part.commerce_index for part in parts)
        joined = Joined(places, tuple(texts), join.by)
        whole = self.field(index, row, Column(" + ".join(join.columns), ValueType.TEXT))
        if whole is None:
            return []
        return [replace(whole, commerce=None, commerce_index=-1, joined=joined), *parts]

    def field(self, index: int, row: FieldRow, joined: Column | None = None) -> Field | None:
        commerce = joined or self._column(index, Side.COMMERCE, row.commerce)
        name, _, dotted = (row.dataverse or "").partition(".")
        dataverse = self._column(index, Side.DATAVERSE, name or None)
        if (row.commerce and commerce is None) or (name and dataverse is None):
            return None
        to_dataverse, to_commerce = Side.DATAVERSE in row.ways, Side.COMMERCE in row.ways
        if row.key and commerce and dataverse and not pairs_as_key(commerce, dataverse):
            self.problem(
                index,
                "key",
                "key-type",
                f"{commerce.type} and {dataverse.type} cannot pair records",
                "use columns of type text or integer as the key, or dates on both sides",
            )
        self._writable(index, row, commerce, dataverse, to_dataverse, to_commerce)
        try:
            lookup = self._lookup(index, dataverse, dotted)
            ways = self._ways(index, row, commerce, dataverse, lookup)
        except _Stopped:
            return None
        forward, backward = fitted(ways, commerce, dataverse, lookup)
        return Field(
            name=row.name,
            commerce=commerce.name if commerce else None,
            dataverse=dataverse.name if dataverse else None,
            commerce_index=-1 if joined else self._slot(Side.COMMERCE, commerce),
            dataverse_index=self._slot(Side.DATAVERSE, dataverse),
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

    def _slot(self, side: Side, column: Column | None) -> int:
        if column is None:
            return -1
        self.columns[side].append(column)
        return len(self.columns[side]) - 1

    def _column(
        self, index: int, side: Side, name: str | None, part: str | None = None
    ) -> Column | None:
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

    def _lookup(self, index: int, column: Column | None, dotted: str) -> Lookup | None:
        """What finds the row behind a dotted name, over one step or two."""
        if not dotted:
            return None
        if column is None or column.reference is None:
            self.problem(
                index,
                "dataverse",
                "lookup-not-a-reference",
                "a dotted name needs a lookup column before the dot",
                "name the lookup column, or drop what stands after the dot",
            )
            raise _Stopped
        entity = column.reference.entity
        name, _, rest = dotted.partition(".")
        named = self._named_column(index, entity, name)
        then = self._lookup(index, named, rest)
        if then is None and named.type is not ValueType.TEXT:
            self.problem(
                index,
                "dataverse",
                "lookup-no-text",
                f"`{name}` of {entity} is {named.type}; rows are found by a text",
                f"go on to a text of that row: `{column.name}.{name}.COLUMN`"
                if named.reference is not None
                else "name a text column, best one with an alternate key",
            )
            raise _Stopped
        lookup = Lookup(Side.DATAVERSE, entity, name, then)
        self.lookups.append(lookup)
        return lookup

    def _named_column(self, index: int, entity: str, name: str) -> Column:
        """A column of a table a lookup points to."""
        known = self.lookup_columns(entity)
        if name not in known:
            near = difflib.get_close_matches(name, list(known), n=1)
            self.problem(
                index,
                "dataverse",
                "column-unknown",
                f"{entity} has no column `{name}`",
                f"did you mean `{near[0]}`?" if near else "see the columns of the table",
            )
            raise _Stopped
        return known[name]

    def _writable(
        self,
        index: int,
        row: FieldRow,
        commerce: Column | None,
        dataverse: Column | None,
        to_dataverse: bool,
        to_commerce: bool,
    ) -> None:
        for column, written, part in (
            (commerce, to_commerce, "commerce"),
            (dataverse, to_dataverse, "dataverse"),
        ):
            if column is None or not written or column.secured:
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

    def _ways(
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
                raise self._stopped(index, ("constant",), error) from None
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
                raise self._stopped(index, error.at, error.error) from None
        return ways

    def _stopped(self, index: int, at: tuple[str | int, ...], error: Untranslatable) -> _Stopped:
        subject = self.document.field_subject(index, *at)
        self.problems.append(Problem(error.code, error.message, error.remedy, subject))
        return _Stopped()

    # ------------------------------------------------------------------ the whole

    def _groups(self, made: Iterable[Sequence[Field]]) -> tuple[Group, ...]:
        named: dict[str, list[Field]] = {}
        policies: dict[str, Policy] = {}
        for row, fields in zip(self.document.fields, made, strict=True):
            name = row.together or row.name
            named.setdefault(name, []).extend(fields)
            policies[name] = row.conflict or self.document.conflict
        return tuple(Group(name, tuple(fs), policies[name]) for name, fs in named.items())


class _Stopped(Exception):
    """This field cannot be compiled; the finding is recorded."""
