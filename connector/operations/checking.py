"""The command that looks for problems before they happen: check.

Owns: everything that can be found wrong without writing.
Never does: mending it.
Tested in: tests/acceptance/test_bad_input.py.
"""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Iterator, Mapping

from connector.bootstrap import Project
from connector.endpoints.base import Entity
from connector.errors import (
    DualWriteError,
    MapError,
    Problem,
    Subject,
)
from connector.mapping.document import MapDocument, Policy
from connector.mapping.values import Side


def check_project(project: Project) -> Iterator[Problem]:
    """Every problem of connections, identities and maps that can be found without writing."""
    yield from _check_command(project.settings.notify.command)
    unreachable: set[int] = set()
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
            yield from _check_map(project, document)


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


def _check_map(project: Project, document: MapDocument) -> Iterator[Problem]:
    try:
        problems = project.findings(document)
        entities = project.entities(document)
    except DualWriteError as error:
        yield Problem.of(error)
        return
    yield from problems
    key_columns = {
        row.dataverse for row in document.fields if row.key and row.dataverse is not None
    }
    entity = entities[Side.DATAVERSE]
    keys = [key for key in entity.keys if set(key.columns) == key_columns]
    subject = document.file.subject("dataverse", map=document.map)
    if not keys:
        yield Problem(
            "alternate-key-missing",
            f"{entity.name} has no alternate key on {', '.join(sorted(key_columns))}: two rows "
            "with one key are possible and would both be set aside",
            "add an alternate key on these columns",
            subject,
            "warning",
        )
    elif not any(key.active for key in keys):
        yield Problem(
            "alternate-key-pending",
            f"the alternate key of {entity.name} is not active yet",
            "wait until its index is built, or repair it in Dataverse",
            subject,
            "warning",
        )
    yield from _untimed(document, entities)
    for side, described in entities.items():
        if described.capabilities.preconditions == "none":
            yield Problem(
                "preconditions-none",
                f"{side} offers no preconditions: an edit made while we write can be overwritten",
                "keep write windows short; both values are logged",
                document.file.subject(side.value, map=document.map),
                "warning",
            )
        try:
            map, _ = project.compiled(document)
            columns = map.column_names(side)
            absent = "00000000-0000-0000-0000-000000000000"
            project.endpoints(document)[side].read(
                described.name, columns, by=None, values=[absent]
            )
        except MapError:
            return
        except DualWriteError as error:
            yield Problem.of(error)


def _untimed(document: MapDocument, entities: Mapping[Side, Entity]) -> Iterator[Problem]:
    """Rows whose conflicts the latest edit decides, where a side does not tell when it was."""
    silent = [s.value for s, entity in entities.items() if not entity.capabilities.modified_time]
    if not silent:
        return
    for index, row in enumerate(document.fields):
        if (row.conflict or document.conflict) is Policy.LATEST:
            yield Problem(
                "latest-without-time",
                f"`conflict: latest` needs modification times; {' and '.join(silent)} gives none",
                "choose commerce, dataverse or manual",
                document.field_subject(index, "conflict"),
            )
