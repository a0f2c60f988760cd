"""Joins a document with the live columns of both sides into a map that runs.

Owns: which findings stand between a document and running it.
Never does: I/O; a finding that does not stop the map (docs/maps.md: warnings) stops nothing.
Tested in: tests/unit/mapping/test_compiler.py.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping, Sequence

from connector.errors import MapError, Problem
from connector.mapping import translate
from connector.mapping.columns import Column
from connector.mapping.compiled import CompiledMap, Creation, Field, Group, places_of
from connector.mapping.conversions import by_date, conversion, pairs_as_key
from connector.mapping.document import FieldRow, MapDocument, Policy
from connector.mapping.ends import End
from connector.mapping.references import Lookup
from connector.mapping.scalars import canonical
from connector.mapping.translate import Translation, Untranslatable
from connector.mapping.values import Side, Value, ValueType


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
        made = [self.field(index, row) for index, row in enumerate(document.fields)]
        fields = tuple(field for field in made if field is not None)
        ends = {side: End(document, side, self.live[side], self.columns[side]) for side in Side}
        inactive = {side: end.inactive() for side, end in ends.items()}
        filters = {side: end.filter() for side, end in ends.items()}
        for end in ends.values():
            end.check_required()
            self.problems += end.problems
        if any(problem.severity == "error" for problem in self.problems):
            return None
        groups = self._groups(fields)
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

    # ------------------------------------------------------------------ one field

    def field(self, index: int, row: FieldRow) -> Field | None:
        commerce = self._column(index, Side.COMMERCE, row.commerce)
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
            forward, backward = self._translations(index, row, commerce, dataverse, lookup)
        except _Stopped:
            return None
        return Field(
            name=row.name,
            commerce=commerce.name if commerce else None,
            dataverse=dataverse.name if dataverse else None,
            commerce_index=self._slot(Side.COMMERCE, commerce),
            dataverse_index=self._slot(Side.DATAVERSE, dataverse),
            to_dataverse=to_dataverse,
            to_commerce=to_commerce,
            forward=forward,
            backward=backward,
            key=row.key,
            lookup=lookup,
            plain=lookup is None
            and row.values is None
            and row.default is None
            and row.constant is None,
            measure=translate.as_date
            if commerce and dataverse and by_date(row.type, commerce, dataverse)
            else translate.identity,
        )

    def _slot(self, side: Side, column: Column | None) -> int:
        if column is None:
            return -1
        self.columns[side].append(column)
        return len(self.columns[side]) - 1

    def _column(self, index: int, side: Side, name: str | None) -> Column | None:
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
                side.value,
                "column-unknown",
                f"{self.document.end(side).entity} has no column `{name}`",
                f"did you mean `{spelled}`?" if spelled else "see the columns of the table",
            )
            return None
        if not column.readable:
            self.problem(
                index,
                side.value,
                "column-unreadable",
                f"`{name}` cannot be read",
                "map another column, or make it readable for the application user",
            )
        if column.secured:
            self.problem(
                index,
                side.value,
                "column-secured",
                f"`{name}` is under column security: without the permission it reads as null",
                "give the application user read and update permission on this column",
                "warning",
            )
        return column

    def _lookup(self, index: int, column: Column | None, dotted: str) -> Lookup | None:
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
        known = self.lookup_columns(column.reference.entity)
        if dotted not in known:
            near = difflib.get_close_matches(dotted, list(known), n=1)
            self.problem(
                index,
                "dataverse",
                "column-unknown",
                f"{column.reference.entity} has no column `{dotted}`",
                f"did you mean `{near[0]}`?" if near else "see the columns of the table",
            )
            raise _Stopped
        lookup = Lookup(Side.DATAVERSE, column.reference.entity, dotted)
        self.lookups.append(lookup)
        return lookup

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
            if column is None or not written:
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

    def _translations(
        self,
        index: int,
        row: FieldRow,
        commerce: Column | None,
        dataverse: Column | None,
        lookup: Lookup | None,
    ) -> tuple[Translation, Translation]:
        if row.constant is not None:
            target = commerce or dataverse
            assert target is not None
            fixed = translate.constant(self._scalar(index, "constant", row.constant, target))
            return (fixed, translate.identity) if dataverse else (translate.identity, fixed)
        assert commerce is not None
        assert dataverse is not None
        if row.values is not None:
            forward, backward = self._value_map(index, row, commerce, dataverse)
        elif lookup is not None:
            named = Column(lookup.column, ValueType.TEXT)
            forward = translate.chain(
                self._conversion(index, row, commerce, named), translate.to_reference(lookup)
            )
            backward = translate.chain(
                translate.from_reference(lookup), self._conversion(index, row, named, commerce)
            )
        else:
            forward = self._conversion(index, row, commerce, dataverse)
            backward = self._conversion(index, row, dataverse, commerce)
        if row.default is not None and row.default.dataverse is not None:
            value = self._scalar(index, "default", row.default.dataverse, dataverse)
            forward = translate.chain(forward, translate.default(value))
        if row.default is not None and row.default.commerce is not None:
            value = self._scalar(index, "default", row.default.commerce, commerce)
            backward = translate.chain(backward, translate.default(value))
        if lookup is None:
            forward = translate.chain(forward, translate.fit(dataverse))
        return forward, translate.chain(backward, translate.fit(commerce))

    def _value_map(
        self, index: int, row: FieldRow, commerce: Column, dataverse: Column
    ) -> tuple[Translation, Translation]:
        assert row.values is not None
        forward: dict[Value, Value] = {}
        backward: dict[Value, Value] = {}
        for symbol, scalar in row.values.items():
            left = self._scalar(index, "values", symbol, commerce)
            right = self._scalar(index, "values", scalar, dataverse)
            forward[left] = right
            backward.setdefault(right, left)
        return (
            translate.value_map(forward, True, ", ".join(map(str, forward))),
            translate.value_map(backward, False, ", ".join(map(str, backward))),
        )

    def _scalar(self, index: int, part: str, value: object, column: Column) -> Value:
        """A value as written in the map, as the column's canonical value."""
        try:
            return canonical(value, column)
        except Untranslatable as error:
            self.problem(index, part, error.code, error.message, error.remedy)
            raise _Stopped from None

    def _conversion(self, index: int, row: FieldRow, source: Column, target: Column) -> Translation:
        found = conversion(row.type, source, target)
        if found is not None:
            return found
        compared = f", compared as {row.type}" if row.type is not None else ""
        self.problem(
            index,
            "type" if row.type is not None else "commerce",
            "type-mismatch",
            f"`{source.name}` ({source.type}) cannot become `{target.name}` ({target.type})"
            + compared,
            "add `values`, a dotted lookup, or a `type` both sides can take",
        )
        raise _Stopped

    # ------------------------------------------------------------------ the whole

    def _groups(self, fields: Iterable[Field]) -> tuple[Group, ...]:
        named: dict[str, list[Field]] = {}
        policies: dict[str, Policy] = {}
        for row, field in zip(self.document.fields, fields, strict=True):
            name = row.together or field.name
            named.setdefault(name, []).append(field)
            policies[name] = row.conflict or self.document.conflict
        return tuple(Group(name, tuple(fs), policies[name]) for name, fs in named.items())


class _Stopped(Exception):
    """This field cannot be compiled; the finding is recorded."""
