"""`--where`: an OData condition over what a command lists and the columns of both sides.

Owns: the names such a condition may use: those of the list, `commerce_COLUMN`, `dataverse_COLUMN`.
Never does: reading records; understanding OData (`connector/mapping/filters/conditions.py` does).
Tested in: tests/unit/operations/test_conditions.py.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from connector.bootstrap import Project
from connector.errors import UsageError
from connector.mapping.columns import Column
from connector.mapping.compiling.compiled import CompiledMap
from connector.mapping.document import MapDocument
from connector.mapping.filters.conditions import Filter, compile_filter
from connector.mapping.filters.text import BadFilter
from connector.mapping.values import Side, Value, ValueType
from connector.store.record import Record

Read = Callable[[Mapping[str, Value], Record], Value]


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition that runs over a listed thing and its record."""

    filter: Filter
    reads: tuple[Read, ...]

    def admits(self, listed: Mapping[str, Value], record: Record) -> bool:
        """Whether it holds for what the list shows of the record, and for the record itself."""
        return self.filter.admits([read(listed, record) for read in self.reads])


def compile_condition(text: str, map: CompiledMap, listed: Mapping[str, ValueType]) -> Condition:
    """The condition in `text`; raises `UsageError` with the codes of row filters."""
    columns = {name: Column(name, type_) for name, type_ in listed.items()}
    reads: dict[str, Read] = {name: _of_list(name) for name in listed}
    for side in Side:
        for index, column in enumerate(map.columns[side]):
            name = f"{side.value}_{column.name}"
            columns[name] = replace(column, name=name)
            reads[name] = _of_side(side, index)
    spelled = {name.casefold(): name for name in columns}
    try:
        filter = compile_filter(text, columns, lambda name: spelled.get(name.casefold(), name))
    except BadFilter as error:
        raise UsageError(
            error.code, error.message, tried=f"--where {text!r}", remedy=error.remedy
        ) from error
    return Condition(filter, tuple(reads[column.name] for column in filter.columns))


def meant_by(
    text: str | None,
    project: Project,
    documents: Sequence[MapDocument],
    listed: Mapping[str, ValueType],
) -> list[MapDocument]:
    """The maps a condition can be about: those that have the columns it names.

    Raises `UsageError` where none has.
    """
    if text is None:
        return list(documents)
    meant: list[MapDocument] = []
    failure: UsageError | None = None
    for document in documents:
        try:
            compile_condition(text, project.compiled(document)[0], listed)
        except UsageError as error:
            failure = failure or error
        else:
            meant.append(document)
    if failure is not None and (not meant or failure.code != "column-unknown"):
        raise failure
    return meant


def _of_list(name: str) -> Read:
    return lambda listed, _record: listed[name]


def _of_side(side: Side, index: int) -> Read:
    def read(_listed: Mapping[str, Value], record: Record) -> Value:
        image = record.side(side).image
        return None if image is None else image[index]

    return read
