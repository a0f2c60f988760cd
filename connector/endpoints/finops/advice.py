"""What `check` says about the company, exports and events of an environment.

Owns: whether the company is there, whether an export project can tell of an entity, and whether
events arrive.
Never does: running a project, which would take the news of the next run.
Tested in: tests/acceptance/test_finops_exports.py, tests/unit/endpoints/finops/test_advice.py.

Facts: "Data management: data management package REST API" (the project has to exist); its projects
are the rows of `DataManagementDefinitionGroups`, by `Name`. Companies are the rows of
`LegalEntities`, by `LegalEntityId`; they are compared without case.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import orjson

from connector.endpoints.finops.exports.faults import misfit
from connector.endpoints.finops.exports.journal import Journal
from connector.endpoints.finops.exports.package import KEY_TYPES, Wanted
from connector.endpoints.finops.exports.runs import START
from connector.endpoints.odata_v4.client import Client
from connector.endpoints.web.service import Naming
from connector.errors import AccessError, MapError, Problem, Subject

PROJECTS = "DataManagementDefinitionGroups"
COMPANIES = "LegalEntities"
MANY = 100
"""Rows two exports in a row hardly have in common by chance."""
SILENT = 86_400.0
"""Seconds without an event after which that is worth a word."""


def projects_of(client: Client) -> list[str] | None:
    """The names of all projects; None where our user may not read them."""
    return _listed(client, PROJECTS, "Name")


def companies_of(client: Client) -> list[str] | None:
    """The codes of all companies; None where our user may not read them."""
    return _listed(client, COMPANIES, "LegalEntityId")


def _listed(client: Client, entity: str, column: str) -> list[str] | None:
    url = client.url(entity, {"$select": column})
    try:
        pages = list(client.pages(entity, url, orjson.loads))
    except (AccessError, MapError):
        return None
    return [str(item.get(column)) for items, _ in pages for item in items]


def advice_on_company(
    company: str, companies: list[str] | None, naming: Naming, entity: str
) -> Iterator[Problem]:
    """A company there is not: its rows would read as none at all, without a word."""
    known = sorted(one.lower() for one in companies or [])
    if known and company.lower() not in known:
        yield Problem(
            "company-unknown",
            f"there is no company {company}; there are: {', '.join(known)}",
            f"set {naming.section}.company to one of these, or leave it out for all of them",
            Subject(side=naming.side, entity=entity, field=f"{naming.section}.company"),
        )


def advice_on_exports(
    wanted: Wanted, journal: Journal, projects: list[str] | None
) -> Iterator[Problem]:
    """What keeps the project from telling of the entity, as far as that is seen without a run."""
    subject = Subject(side="commerce", entity=wanted.entity)
    if projects is not None and wanted.project not in projects:
        there = ", ".join(sorted(projects)) or "none"
        yield Problem(
            "export-project-missing",
            f"there is no export project {wanted.project}; there are: {there}",
            "make it in Data management, or set changes.project to one of these (names are "
            "case-sensitive)",
            subject,
        )
    odd = [column.name for column in wanted.exported if column.type not in KEY_TYPES]
    if odd:
        what = f"its key has {', '.join(odd)}, which data files spell in many ways"
        yield Problem.of(misfit(wanted.project, wanted.entity, what))
    if len(wanted.exported) < len(wanted.key) and wanted.company is None:
        what = "it has rows of each company, a job exports one: set `company`"
        yield Problem.of(misfit(wanted.project, wanted.entity, what))
    yield from _full_push(wanted, journal)
    last = journal.last()
    if last is not None and last.lost not in (None, START):
        yield Problem(
            "export-lost",
            f"what export {last.number} of {wanted.project} told is not known: {last.lost}",
            "the table was compared instead, and nothing is lost; if it stays so, look at the "
            "jobs in Data management",
            subject,
            "warning",
        )


def _full_push(wanted: Wanted, journal: Journal) -> Iterator[Problem]:
    """Two exports in a row that told of as many rows look like the whole table each time."""
    runs = journal.after(max(journal.head() - 2, 0)) or []
    told = {run.keys for run in runs}
    if len(runs) == 2 and len(told) == 1 and min(told) >= MANY:
        yield Problem(
            "export-not-incremental",
            f"each of the last two exports of {wanted.project} told of {min(told):,} rows, which "
            "looks like the whole table",
            "in Data management, enable change tracking of the entity and set the refresh type of "
            "the project to `Incremental push only`",
            Subject(side="commerce", entity=wanted.entity),
            "warning",
        )


def advice_on_events(heard: Path, side: str) -> Iterator[Problem]:
    """Whether events arrive: the file `heard` is touched when one does."""
    try:
        last = heard.stat().st_mtime
    except FileNotFoundError:
        since = "no event has arrived yet"
    else:
        if time.time() - last < SILENT:
            return
        when = datetime.fromtimestamp(last, UTC)
        since = f"no event has arrived since {when:%Y-%m-%d %H:%M} UTC"
    yield Problem(
        "events-silent",
        since,
        f"`serve` takes them at /webhooks/{side}; look at its /health, and at the events and "
        "webhooks of the environment",
        Subject(side=side),
        "note",
    )


def of_side(problem: Problem, side: str) -> Problem:
    """The same, said of a side by its own name."""
    return replace(problem, subject=replace(problem.subject, side=side))
