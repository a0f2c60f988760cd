"""The command that makes what the maps need in Dataverse: provision.

Owns: what is to be made for which maps, in which order, and what came of it.
Never does: changing what exists; knowing a request (`endpoints/dataverse/administration`).
Tested in: tests/unit/operations/test_provisioning.py, tests/acceptance/test_provision.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from connector.bootstrap import Project
from connector.endpoints.dataverse.administration import Administration
from connector.errors import MapError, Problem, Subject, UsageError
from connector.mapping.columns import Column
from connector.mapping.document import MapDocument
from connector.mapping.tables.provision import (
    AddOption,
    AwaitKey,
    Existing,
    MakeColumn,
    MakeKey,
    MakePublisher,
    MakeTable,
    RetryKey,
    Step,
    TrackChanges,
    key_failed,
    publishers,
    steps_to,
)
from connector.mapping.tables.wanted import (
    TableDefinition,
    WantedTable,
    by_table,
    described_table,
    read_definitions,
    wanted_table,
)
from connector.mapping.values import Side, ValueType
from connector.operations.provision.notices import Notices, plan_notices, receiver, webhook_key
from connector.operations.provision.notices import carry_out as notify

_ORDER = (
    MakePublisher,
    MakeTable,
    MakeColumn,
    AddOption,
    MakeKey,
    RetryKey,
    TrackChanges,
    AwaitKey,
)


class Definitions(Protocol):
    """The part of an organization's administration that provisioning needs."""

    def existing(self, set_name: str) -> Existing | None:
        """The table as it is; None where there is none."""
        ...

    def prefixes(self) -> frozenset[str]:
        """The prefixes names may bear: those of its publishers."""
        ...

    def carry_out(self, step: Step) -> None:
        """One step."""
        ...

    def key_state(self, table: WantedTable) -> str:
        """State of the index behind the alternate key."""
        ...

    def publish(self, tables: Sequence[WantedTable]) -> None:
        """Make changes take effect."""
        ...


@dataclass(slots=True)
class Provision:
    """What is to be made, what was made of it, and what stands in the way."""

    tables: list[WantedTable] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    done: int = 0
    notices: Notices = field(default_factory=Notices)
    solution: Path | None = None
    """The file that was written for an administrator to import, instead of the steps."""

    def add(self, wanted: WantedTable, existing: Existing | None) -> None:
        """Plan what is missing of one table."""
        steps, problems = steps_to(wanted, existing)
        self.tables.append(wanted)
        self.steps += steps
        self.problems += problems

    def as_dict(self) -> dict[str, Any]:
        """The documented JSON form (docs/json.md)."""
        return {
            "tables": [table.set_name for table in self.tables],
            "steps": [
                {
                    "kind": step.kind,
                    "table": step.table.name,
                    "column": _column_of(step),
                    "text": str(step),
                    "done": number < self.done,
                }
                for number, step in enumerate(self.steps)
            ],
            "solution": None if self.solution is None else str(self.solution),
            "webhooks": self.notices.as_dict(),
            "problems": [problem.as_dict() for problem in self.problems],
        }


def provision_maps(
    project: Project,
    documents: Sequence[MapDocument],
    organization: Administration,
    *,
    webhooks: str | None,
    solution: Path | None,
    only_plan: bool,
    told: Callable[[object], None],
) -> Provision:
    """The command: tables first, then the webhooks asked for (an address, or `off`).

    Ending the notices makes no table; a `solution` is written instead of making any. Raises
    what its parts do.
    """
    if solution is not None and webhooks is not None:
        raise UsageError(
            "solution-and-webhooks",
            "a solution file holds tables only",
            remedy="write the file first; register webhooks when its tables are there",
        )
    url = None if webhooks is None else receiver(webhooks)
    key = None if url is None else webhook_key(project.settings.serve)
    result = Provision()
    if webhooks is None or url is not None:
        result = plan_provision(project, documents, organization)
        if solution is not None:
            _pack(result, organization, solution)
        elif not only_plan:
            carry_out(result, organization, told)
    if webhooks is not None:
        some = len(documents) < len(project.documents)
        planned = {table.set_name: table for table in result.tables}
        result.notices = plan_notices(
            documents,
            lambda set_name: _logical_name(organization, planned, set_name),
            organization.webhooks.registered(),
            url,
            some=some,
        )
        if not only_plan:
            notify(result.notices, organization, key, told, some=some)
    return result


def _pack(plan: Provision, organization: Administration, path: Path) -> None:
    from connector.operations.provision.packing import pack

    made = {step.table.set_name: step.table for step in plan.steps if isinstance(step, MakeTable)}

    def schema_name(set_name: str) -> str:
        new = made.get(set_name)
        return organization.schema_name(set_name) if new is None else new.schema_name

    written, problems = pack(plan.steps, schema_name, organization.language(), path)
    plan.problems += problems
    plan.solution = path if written else None


def _logical_name(
    organization: Administration, planned: Mapping[str, WantedTable], set_name: str
) -> str:
    """The logical name of a table, of one that is only planned as well."""
    try:
        return organization.logical_name(set_name)
    except MapError:
        return planned[set_name].name if set_name in planned else set_name


def plan_provision(
    project: Project, documents: Sequence[MapDocument], definitions: Definitions
) -> Provision:
    """What is missing for these maps. Raises `MapError` for a broken table file."""
    described = read_definitions(project.settings.maps.path)
    plan = Provision()
    existing: dict[str, Existing | None] = {}
    for set_name, maps in by_table(documents).items():
        commerce = {document.map: _commerce_columns(project, document) for document in maps}
        wanted, problems = wanted_table(maps, described.get(set_name), commerce)
        existing[set_name] = definitions.existing(set_name)
        plan.add(wanted, existing[set_name])
        plan.problems += problems
    freshness = project.settings.freshness
    if freshness.enabled:
        wanted = _status_table(freshness.table, described)
        plan.add(wanted, definitions.existing(wanted.set_name))
    plan.problems += _targets_missing(plan, existing, definitions)
    plan.steps += publishers(plan.steps, definitions.prefixes)
    plan.steps.sort(key=_rank)
    return plan


def carry_out(plan: Provision, definitions: Definitions, told: Callable[[Step], None]) -> None:
    """Everything that is to be done; `told` of each step before it begins.

    A step that fails ends it with its error; what was done stays, and the next plan goes on
    from there.
    """
    touched = [step for step in plan.steps if not isinstance(step, MakePublisher)]
    changed = list({step.table.set_name: step.table for step in touched}.values())
    published = False
    for step in plan.steps:
        if isinstance(step, AwaitKey) and not published:
            definitions.publish(changed)
            published = True
        told(step)
        definitions.carry_out(step)
        plan.done += 1
        if isinstance(step, AwaitKey):
            plan.problems += _index(step.table, definitions.key_state(step.table))
    if changed and not published:
        definitions.publish(changed)


def _commerce_columns(project: Project, document: MapDocument) -> dict[str, Column]:
    endpoint = project.endpoints(document)[Side.COMMERCE]
    return dict(endpoint.describe(document.commerce.entity).columns)


def _status_table(set_name: str, described: Mapping[str, TableDefinition]) -> WantedTable:
    """The table that shows how fresh each map is."""
    definition = described.get(set_name)
    key = f"{set_name.partition('_')[0]}_map"
    if definition is None or key not in {one.column.lower() for one in definition.columns}:
        raise MapError(
            "status-table-undescribed",
            f"freshness is on, and no file beside the maps describes {set_name} with {key}",
            subject=Subject(side="dataverse", entity=set_name, field="freshness.table"),
            remedy="take tables/dwrite_syncstatuses.yaml of a new project (`dualwrite init DIR`), "
            "with your prefix in it, or correct freshness.table",
        )
    return described_table(definition, key)


def _targets_missing(
    plan: Provision, existing: dict[str, Existing | None], definitions: Definitions
) -> Iterator[Problem]:
    """Lookups to tables that neither exist nor are about to; their steps are taken out."""
    made = {table.set_name for table in plan.tables}
    for step in list(plan.steps):
        if not isinstance(step, MakeColumn) or step.column.target is None:
            continue
        target = step.column.target
        if target not in existing:
            existing[target] = definitions.existing(target)
        if existing[target] is None and target not in made:
            plan.steps.remove(step)
            yield Problem(
                "lookup-target-missing",
                f"`{step.column.name}` points to {target}, which is not there",
                "install the solution that has this table, or correct `target` in the table file",
                Subject(side="dataverse", entity=step.table.set_name, field=step.column.name),
            )


def _rank(step: Step) -> tuple[int, bool]:
    """All tables first, lookups after the columns they may be part of a key with."""
    lookup = isinstance(step, MakeColumn) and step.column.type is ValueType.REFERENCE
    return _ORDER.index(type(step)), lookup


def _column_of(step: Step) -> str | None:
    return step.column.name if isinstance(step, MakeColumn | AddOption) else None


def _index(table: WantedTable, state: str) -> Iterator[Problem]:
    if state == "Failed":
        yield key_failed(table.set_name, table.key)
    elif state != "Active":
        yield Problem(
            "alternate-key-pending",
            f"the alternate key of {table.set_name} is not active yet",
            "run `dualwrite provision` again: it waits for the index; `check` tells too",
            Subject(side="dataverse", entity=table.set_name),
            "warning",
        )
