"""The command that looks for problems before they happen: check.

Owns: everything that can be found wrong without writing.
Never does: mending it.
Tested in: tests/unit/operations/test_checking.py, tests/acceptance/{test_bad_input,test_rights}.py.
"""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from connector.bootstrap import Project
from connector.config.sides import CommerceSettings, FinopsSettings
from connector.config.values import read_secret
from connector.endpoints.advising import Advising
from connector.endpoints.base import Entity
from connector.endpoints.dataverse.administration import Administration
from connector.endpoints.dataverse.faults import tracking_off
from connector.endpoints.dataverse.rights import UserRights
from connector.engine.append.course import unsafe
from connector.engine.runs.drifted import findings_of
from connector.engine.runs.stock import stock_of
from connector.errors import (
    ConfigError,
    DualWriteError,
    MapError,
    Problem,
    Subject,
    UnreachableError,
)
from connector.mapping.document import MapDocument, Policy
from connector.mapping.tables.provision import key_failed
from connector.mapping.values import Side
from connector.operations.check.corrections import check_corrections
from connector.operations.check.owners import check_owners
from connector.operations.check.rights import (
    Need,
    lookup_paths,
    missing,
    needs_of,
    shared_with_people,
)
from connector.operations.check.soundness import check_between, check_soundness
from connector.operations.check.tables import meant


def check_project(project: Project, organization: Administration) -> Iterator[Problem]:
    """Every problem of connections, rights and maps that can be found without writing."""
    with project.kept():  # maps share tables, and tables are pointed to by many
        yield from _check_all(project, organization)


def _check_all(project: Project, organization: Administration) -> Iterator[Problem]:
    yield from _check_command(project.settings.notify.command)
    yield from _check_events(project.settings.commerce_sides())
    unreachable: set[int] = set()
    reachable: list[MapDocument] = []
    users: list[UserRights] | None = None
    for document in project.documents.values():
        try:
            endpoints = project.endpoints(document)
        except DualWriteError as error:
            yield Problem.of(error)
            continue
        healthy = True
        for endpoint in endpoints.values():
            if id(endpoint) in unreachable:
                healthy = False
                continue
            try:
                endpoint.identity()
            except DualWriteError as error:
                unreachable.add(id(endpoint))
                healthy = False
                yield Problem.of(error)
        if healthy:
            if users is None:
                users = []
                yield from _check_users(organization, users)
            reachable.append(document)
            yield from _check_map(project, document, organization, users)
    yield from check_between(project, reachable)
    yield from check_corrections(project, reachable)
    if reachable:
        yield from _check_freshness(project, organization, users or [])


def _check_freshness(
    project: Project, organization: Administration, users: Sequence[UserRights]
) -> Iterator[Problem]:
    """Whether the table is there in which agents see how fresh the data is, and may be written."""
    settings = project.settings.freshness
    if not settings.enabled:
        return
    try:
        project.dataverse.describe(settings.table)
        table = organization.logical_name(settings.table)
    except DualWriteError as error:
        problems = [Problem.of(error)]
    else:
        needs = [Need(right, table) for right in ("Create", "Read", "Write")]
        problems = [one for rights in users for one in missing(None, rights, needs)]
    for problem in problems:
        place = replace(problem.subject, field="freshness.table")
        yield replace(problem, subject=place, severity="warning")


def _check_users(organization: Administration, users: list[UserRights]) -> Iterator[Problem]:
    """Whose rights can be read, and whether a person is among them; `users` is filled."""
    for number in range(organization.users):
        try:
            rights = organization.rights(number)
        except UnreachableError as error:
            yield Problem.of(error)
        except DualWriteError as error:
            yield Problem(
                "rights-unreadable",
                f"what application user {number + 1} may do cannot be read: {error.message}",
                "give its role Read on User, Security Role, Field Security Profile and Field "
                "Permission; without, a missing right is found only when it is needed",
                error.subject,
                "warning",
            )
        else:
            users.append(rights)
            yield from shared_with_people(rights)


def _check_command(command: str | None) -> Iterator[Problem]:
    """Whether the program that is to be told of alerts is there."""
    if command is None or shutil.which(program := shlex.split(command)[0]) is not None:
        return
    yield Problem(
        "notify-command-missing",
        f"there is no program {program} this user may run: nobody would be told of alerts",
        "correct notify.command, or its rights",
        Subject(field="notify.command"),
        "warning",
    )


def _check_events(sides: Mapping[str, CommerceSettings]) -> Iterator[Problem]:
    """Whether the key is there that events have to bring: `serve` does not begin without it."""
    for name, side in sides.items():
        if not isinstance(side, FinopsSettings) or side.events.secret is None:
            continue
        try:
            read_secret(side.events.secret)
        except ConfigError as error:
            section = name if name == "commerce" else f"sides.{name}"
            subject = Subject(side=name, field=f"{section}.events.secret")
            yield replace(Problem.of(error), subject=subject)


def _check_map(
    project: Project,
    document: MapDocument,
    organization: Administration,
    users: Sequence[UserRights],
) -> Iterator[Problem]:
    try:
        problems = project.findings(document)
        entities = project.entities(document)
        table = entities[Side.DATAVERSE]
        lacking = list(_check_rights(project, document, table, organization, users))
        keys = list(_check_key(document, table, organization))
        sound = list(check_soundness(project, document, entities))
        drifted = list(_check_drift(project, document, entities))
        owner = list(check_owners(project, document, table, organization))
    except DualWriteError as error:
        yield meant(document, Problem.of(error), organization)
        return
    yield from problems
    yield from drifted
    yield from sound
    yield from lacking
    yield from keys
    yield from owner
    yield from _untimed(document, entities)
    append_to = document.appends_to
    if append_to is not None and (risk := unsafe(document, entities[append_to])) is not None:
        yield risk
    for side, described in entities.items():
        if append_to is None and described.capabilities.preconditions == "none":
            yield Problem(
                "preconditions-none",
                f"{side} takes every write, whatever a row holds by then: an edit made between our "
                "last look at the row and our write, a moment later, is overwritten",
                "switch its ETags on if it has any, or let nobody else write to it while a sync "
                "runs; what the row held before and after is in the audit",
                document.file.subject(side.value, map=document.map),
                "warning",
            )
        endpoint = project.endpoints(document)[side]
        if isinstance(endpoint, Advising):
            yield from _advice(endpoint, described)
        if side is Side.COMMERCE or not lacking:
            yield from _check_reading(project, document, side, described)


def _advice(endpoint: Advising, described: Entity) -> Iterator[Problem]:
    """What the endpoint itself has to say of how changes are found."""
    try:
        yield from endpoint.advice(described.name)
    except DualWriteError as error:
        yield Problem.of(error)


def _check_drift(
    project: Project, document: MapDocument, entities: Mapping[Side, Entity]
) -> Iterator[Problem]:
    """What changed in both tables since the map last ran."""
    stock = stock_of(project.store, document, entities)
    if stock is not None:
        yield from findings_of(stock.found, document, stock.read)


def _check_rights(
    project: Project,
    document: MapDocument,
    entity: Entity,
    organization: Administration,
    users: Sequence[UserRights],
) -> Iterator[Problem]:
    """What each of our users lacks for this map."""
    if not users:
        return
    table = organization.logical_name(entity.name)
    targets = dict(_lookup_targets(project, document, entity, organization))
    needs = needs_of(document, table, targets)
    for rights in users:
        yield from missing(document.map, rights, needs)


def _lookup_targets(
    project: Project, document: MapDocument, entity: Entity, organization: Administration
) -> Iterator[tuple[str, str]]:
    """The tables the map's lookups point to, by the path of the lookup."""
    endpoint = project.endpoints(document)[Side.DATAVERSE]
    for name in [name for row in document.fields for name in row.paths]:
        table = entity
        for path in lookup_paths(name):
            column = table.columns.get(path.rpartition(".")[2])
            if column is None or column.reference is None:
                break  # said already, with its place
            yield path, organization.logical_name(column.reference.entity)
            table = endpoint.describe(column.reference.entity)


def _check_key(
    document: MapDocument, entity: Entity, organization: Administration
) -> Iterator[Problem]:
    """Whether Dataverse keeps keys unique and tells of changes."""
    keys = [row.dataverse for row in document.fields if row.key and row.dataverse]
    columns = tuple(name.partition(".")[0] for name in keys)
    state = organization.key_states(entity.name).get(frozenset(columns))
    subject = document.file.subject("dataverse", map=document.map)
    if entity.id_column in columns:
        state = "Active"  # no two rows have one id
    if state is None:
        yield Problem(
            "alternate-key-missing",
            f"{entity.name} has no alternate key on {', '.join(sorted(columns))}: two rows "
            "with one key are possible and would both be set aside",
            "run `dualwrite provision`, or add an alternate key on these columns",
            subject,
            "warning",
        )
    elif state == "Failed":
        yield replace(key_failed(entity.name, columns), subject=subject)
    elif state != "Active":
        yield Problem(
            "alternate-key-pending",
            f"the alternate key of {entity.name} is not active yet",
            "wait until its index is built; `dualwrite provision` waits for it",
            subject,
            "warning",
        )
    if not entity.capabilities.change_feed:
        yield replace(Problem.of(tracking_off(entity.name)), subject=subject)


def _check_reading(
    project: Project, document: MapDocument, side: Side, described: Entity
) -> Iterator[Problem]:
    """Whether the mapped columns can be read, by asking for a row there is not."""
    try:
        map, _ = project.compiled(document)
        absent = "00000000-0000-0000-0000-000000000000"
        project.endpoints(document)[side].read(
            described.name, map.column_names(side), by=None, values=[absent]
        )
    except MapError:
        return  # said already, with its place
    except DualWriteError as error:
        yield Problem.of(error)


def _untimed(document: MapDocument, entities: Mapping[Side, Entity]) -> Iterator[Problem]:
    """Rows whose conflicts the latest edit decides, where a side does not tell when it was."""
    silent = [s.value for s, entity in entities.items() if not entity.capabilities.modified_time]
    if not silent:
        return
    places = [
        document.field_subject(index, "conflict")
        for index, row in enumerate(document.fields)
        if row.conflict is Policy.LATEST
    ]
    if document.conflict is Policy.LATEST and any(row.conflict is None for row in document.fields):
        places.append(document.file.subject("conflict", map=document.map))
    for place in places:
        yield Problem(
            "latest-without-time",
            f"`conflict: latest` needs modification times; {' and '.join(silent)} gives none",
            "choose commerce, dataverse or manual",
            place,
        )
