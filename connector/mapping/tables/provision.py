"""From the table that is wanted and the one that is there to the steps in between.

Owns: deciding what is missing and what differs; the order of the steps. Pure.
Never does: reading or changing a system; a step that changes what exists.
Tested in: tests/unit/mapping/test_provision.py.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar, TypeAlias

from connector.errors import Problem, Subject
from connector.mapping.columns import Column
from connector.mapping.tables.wanted import WantedColumn, WantedTable, unprefixed
from connector.mapping.values import ValueType

_KINDRED = (
    frozenset({ValueType.INTEGER, ValueType.DECIMAL}),
    frozenset({ValueType.DATE, ValueType.INSTANT}),
)
"""Types a map takes for each other; `check` finds values that would not fit."""


@dataclass(frozen=True, slots=True)
class Existing:
    """A table as the live system describes it; `keys` by columns, with the state of the index."""

    logical_name: str
    columns: Mapping[str, Column]
    keys: Mapping[frozenset[str], str]
    tracked: bool


@dataclass(frozen=True, slots=True)
class MakePublisher:
    """Create a publisher, so that names may bear its prefix."""

    kind: ClassVar[str] = "publisher"
    table: WantedTable
    """The first one whose name bears it."""
    prefix: str

    def __str__(self) -> str:
        return f"create publisher dualwrite{self.prefix} with the prefix {self.prefix}"


@dataclass(frozen=True, slots=True)
class MakeTable:
    """Create the table with its primary column, change tracking on."""

    kind: ClassVar[str] = "table"
    table: WantedTable

    def __str__(self) -> str:
        return f"create table {self.table.name} with {self.table.primary.name}"


@dataclass(frozen=True, slots=True)
class MakeColumn:
    """Create one column, a lookup with its relationship."""

    kind: ClassVar[str] = "column"
    table: WantedTable
    column: WantedColumn

    def __str__(self) -> str:
        return f"create column {self.column.name} of {self.table.name}: {spoken(self.column)}"


@dataclass(frozen=True, slots=True)
class AddOption:
    """Add one option to a choice that is there."""

    kind: ClassVar[str] = "option"
    table: WantedTable
    column: WantedColumn
    value: int

    def __str__(self) -> str:
        label = self.column.options[self.value]
        return f"add option {self.value} ({label}) to {self.column.name} of {self.table.name}"


@dataclass(frozen=True, slots=True)
class MakeKey:
    """Create the alternate key on the map's key columns."""

    kind: ClassVar[str] = "key"
    table: WantedTable

    def __str__(self) -> str:
        return f"create alternate key on {', '.join(self.table.key)} of {self.table.name}"


@dataclass(frozen=True, slots=True)
class RetryKey:
    """Have the index of an alternate key built again, which could not be built before."""

    kind: ClassVar[str] = "retry"
    table: WantedTable

    def __str__(self) -> str:
        return f"build the key index of {self.table.name} again"


@dataclass(frozen=True, slots=True)
class TrackChanges:
    """Turn on change tracking."""

    kind: ClassVar[str] = "tracking"
    table: WantedTable

    def __str__(self) -> str:
        return f"turn on change tracking of {self.table.name}"


@dataclass(frozen=True, slots=True)
class AwaitKey:
    """Wait until the index behind the alternate key is built."""

    kind: ClassVar[str] = "index"
    table: WantedTable

    def __str__(self) -> str:
        return f"wait for the key index of {self.table.name}"


Step: TypeAlias = (
    MakePublisher
    | MakeTable
    | MakeColumn
    | AddOption
    | MakeKey
    | RetryKey
    | TrackChanges
    | AwaitKey
)


def steps_to(wanted: WantedTable, existing: Existing | None) -> tuple[list[Step], list[Problem]]:
    """What is to be done, in order, and what stands in the way.

    The same steps come out again for what a killed run had not done yet.
    """
    if existing is None:
        problem = unprefixed(wanted)
        if problem is not None:
            return [], [problem]
        made: list[Step] = [MakeTable(wanted)]
        made += [MakeColumn(wanted, column) for column in wanted.columns]
        if wanted.key:
            made += [MakeKey(wanted), AwaitKey(wanted)]
        return made, []
    problems = list(_differences(wanted, existing))
    steps: list[Step] = []
    for column in _all(wanted):
        there = existing.columns.get(column.name)
        if there is None:
            steps.append(MakeColumn(wanted, column))
        elif there.type is ValueType.CHOICE and column.type is ValueType.CHOICE:
            known = there.choices or {}
            steps += [AddOption(wanted, column, v) for v in column.options if v not in known]
    steps += _key(wanted, existing)
    if not existing.tracked:
        steps.append(TrackChanges(wanted))
    return steps, problems


def publishers(steps: Iterable[Step], known: Callable[[], Container[str]]) -> list[Step]:
    """What makes the publishers without whose prefix Dataverse takes no new name.

    `known` tells the prefixes there are; it is asked only where something gets a name.
    """
    wanted: dict[str, WantedTable] = {}
    for step in steps:
        if isinstance(step, MakeTable | MakeColumn):
            named = step.table if isinstance(step, MakeTable) else step.column
            wanted.setdefault(named.schema_name.partition("_")[0].lower(), step.table)
    there = known() if wanted else ()
    return [MakePublisher(table, prefix) for prefix, table in wanted.items() if prefix not in there]


def spoken(column: WantedColumn) -> str:
    """The type of a column with the facets that matter, for people."""
    match column.type:
        case ValueType.TEXT:
            return f"text, {column.length}"
        case ValueType.DECIMAL:
            return f"decimal, {column.scale} places"
        case ValueType.CHOICE:
            return "choice of " + ", ".join(column.options.values())
        case ValueType.REFERENCE:
            return f"lookup to {column.target}"
        case other:
            return other.value


def _all(wanted: WantedTable) -> Iterator[WantedColumn]:
    # A table that is there has a primary column of its own; ours is then a column like others.
    yield wanted.primary
    yield from wanted.columns


def _differences(wanted: WantedTable, existing: Existing) -> Iterator[Problem]:
    for column in _all(wanted):
        there = existing.columns.get(column.name)
        if there is None:
            continue
        subject = Subject(side="dataverse", entity=wanted.set_name, field=column.name)
        if there.type is not column.type and {there.type, column.type} not in _KINDRED:
            yield Problem(
                "column-differs",
                f"`{column.name}` is there as {there.type}, not as {column.type}",
                "nothing that exists is changed: map another column, or delete this one in "
                "Dataverse if nobody needs it",
                subject,
            )
        elif column.target is not None and (
            there.reference is None or there.reference.entity != column.target
        ):
            points = there.reference.entity if there.reference else "several tables"
            yield Problem(
                "column-differs",
                f"`{column.name}` points to {points}, not to {column.target}",
                "nothing that exists is changed: map another column",
                subject,
            )
        elif column.type is ValueType.TEXT and (there.max_length or column.length) < column.length:
            yield Problem(
                "column-shorter",
                f"`{column.name}` takes {there.max_length} characters, {column.length} are wanted",
                "raise its length in Dataverse if longer values are to be expected; they would be "
                "set aside",
                subject,
                "warning",
            )


def _key(wanted: WantedTable, existing: Existing) -> Iterator[Step]:
    state = existing.keys.get(frozenset(wanted.key))
    if state == "Active" or not wanted.key:
        return
    if state is None:
        yield MakeKey(wanted)
    elif state == "Failed":
        yield RetryKey(wanted)
    yield AwaitKey(wanted)


def key_failed(entity: str, columns: tuple[str, ...]) -> Problem:
    """What is to be done about a key whose index cannot be built."""
    return Problem(
        "alternate-key-failed",
        f"the index of the alternate key on {', '.join(columns)} of {entity} could not be built",
        "find rows that share a key (`dualwrite plan` names them) and correct them, then run "
        "`dualwrite provision`: it has the index built again",
        Subject(side="dataverse", entity=entity),
    )
