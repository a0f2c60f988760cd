"""Whether those who are to own the rows a map creates are there, and may own them.

Owns: the findings about `owner`, also where it goes by company.
Never does: finding a team or a user (`engine/owners.py`).
Tested in: tests/acceptance/test_owners.py, tests/acceptance/test_companies.py.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from typing import NamedTuple

from connector.bootstrap import Project
from connector.endpoints.base import Entity
from connector.endpoints.dataverse.administration import Administration
from connector.engine.owners import owners_of
from connector.errors import MapError, Problem, Subject
from connector.mapping.compiling.joined_rows import COMPANIES
from connector.mapping.compiling.owning import DEFAULT_TEAM, GIVE_A_TEAM, WITHOUT_TEAM
from connector.mapping.document import MapDocument
from connector.mapping.end import Owner
from connector.mapping.values import Side
from connector.operations.check.rights import Need


class _Named(NamedTuple):
    """Somebody who is to own rows."""

    reference: str
    """`teams(ID)` or `systemusers(ID)`."""
    name: str
    place: Subject


def check_owners(
    project: Project, document: MapDocument, entity: Entity, organization: Administration
) -> Iterator[Problem]:
    """What is wrong with the owners of a map."""
    if document.dataverse.owner is None:
        return
    try:
        found = owners_of(document, project.endpoints(document)[Side.DATAVERSE])
    except MapError as error:
        yield Problem.of(error)
        return
    owners = [
        _Named(one.reference, f"`{one.name}`", _place(document, code))
        for code, one in found.items()
    ]
    if document.dataverse.owner.by_company:
        try:
            map, _ = project.compiled(document)
        except MapError:
            return  # said already, with its place
        if map.company is not None:
            by_code = map.company.lookup.column
            yield from _companies(document, document.dataverse.owner, organization, by_code, owners)
    privilege = Need("Read", organization.logical_name(entity.name)).privilege
    for reference, name, place in owners:
        if privilege not in organization.owner_privileges(reference):
            yield Problem(
                "owner-unfit",
                f"{name} may not read {entity.name} ({privilege}): Dataverse lets nobody own rows "
                "they cannot read",
                "give it a security role with Read on this table",
                place,
            )


def _companies(
    document: MapDocument,
    owner: Owner,
    organization: Administration,
    by_code: str,
    owners: list[_Named],
) -> Iterator[Problem]:
    """Companies that are named and not there, or have no team; to `owners` go the teams of others.

    Raises what reading the companies raises.
    """
    column = "ownerid" if owner.company is None else DEFAULT_TEAM
    teams = organization.pointing(COMPANIES, by_code, column)
    known = {code.casefold(): code for code in teams}
    named = {code.casefold(): code for code in owner.companies or ()}
    for folded, code in named.items():
        if folded not in known:
            near = difflib.get_close_matches(folded, known, n=1)
            yield Problem(
                "owner-company-unknown",
                f"Dataverse has no company `{code}`: no row would have this owner",
                f"did you mean `{known[near[0]]}`?" if near else "correct the code, or take it out",
                _place(document, code),
                "warning",
            )
    if owner.company is None:
        return
    place = document.file.subject("dataverse", "owner", "company", map=document.map)
    without: list[str] = []
    of_team: dict[str, list[str]] = {}
    for code in sorted(code for folded, code in known.items() if folded not in named):
        team = teams[code]
        (without if team is None else of_team.setdefault(team, [])).append(code)
    for team, codes in of_team.items():
        owners.append(_Named(f"teams({team})", f"the default team of {', '.join(codes)}", place))
    if without:
        yield Problem(
            WITHOUT_TEAM,
            f"without a default owning team: {', '.join(without)}; records of these companies "
            "would be set aside",
            GIVE_A_TEAM,
            place,
            "warning",
        )


def _place(document: MapDocument, code: str | None) -> Subject:
    at = () if code is None else ("companies", code)
    return document.file.subject("dataverse", "owner", *at, map=document.map)
