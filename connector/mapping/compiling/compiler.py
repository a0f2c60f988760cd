"""Joins a document with the live columns of both sides into a map that runs.

Owns: which findings stand between a document and running it.
Never does: I/O; a finding that does not stop the map (docs/maps.md: warnings) stops nothing.
Tested in: tests/unit/mapping/test_compiler.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from connector.errors import MapError, Problem
from connector.mapping.columns import Column
from connector.mapping.compiling.compiled import CompiledMap, Creation, Field, Group, places_of
from connector.mapping.compiling.ends import End
from connector.mapping.compiling.joined_rows import compile_rows
from connector.mapping.compiling.owning import company_of, owner_problems
from connector.mapping.compiling.row_compiler import RowCompiler
from connector.mapping.document import MapDocument, Policy
from connector.mapping.values import Side


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


class _Compiler(RowCompiler):
    """The rows, and what belongs to the map as a whole."""

    def run(self) -> CompiledMap | None:
        document = self.document
        made = compile_rows(self)
        fields = tuple(field for row in made for field in row)
        ends = {side: End(document, side, self.live[side], self.columns[side]) for side in Side}
        inactive = {side: end.inactive() for side, end in ends.items()}
        filters = {side: end.filter() for side, end in ends.items()}
        for end in ends.values():
            end.check_required()
            end.check_owner()
            self.problems += end.problems
        company = company_of(self, fields)
        self.problems += owner_problems(self, company)
        if any(problem.severity == "error" for problem in self.problems):
            return None
        groups = self._groups(made)
        # Sides are asked by the first: one that Dataverse itself holds as a value.
        keys = sorted((f for f in fields if f.key), key=lambda f: f.lookup is not None)
        return CompiledMap(
            document=document,
            fields=fields,
            groups=groups,
            columns={side: tuple(columns) for side, columns in self.columns.items()},
            keys={side: tuple([f.index(side) for f in keys]) for side in Side},
            lookups=tuple(self.lookups),
            places={side: places_of(groups, side) for side in Side},
            creations={side: Creation.on(side, groups, self.columns[side]) for side in Side},
            inactive={side: mark for side, mark in inactive.items() if mark is not None},
            filters={side: made for side, made in filters.items() if made is not None},
            company=company,
        )

    def _groups(self, made: Iterable[Sequence[Field]]) -> tuple[Group, ...]:
        named: dict[str, list[Field]] = {}
        policies: dict[str, Policy] = {}
        for row, fields in zip(self.document.fields, made, strict=True):
            name = row.together or row.name
            named.setdefault(name, []).extend(fields)
            policies[name] = row.conflict or self.document.conflict
        return tuple(Group(name, tuple(fs), policies[name]) for name, fs in named.items())
