"""Which table was probably meant where a map names one that is not there.

Owns: the remedy for a logical name, a label of dual-write, or a misspelled entity set name.
Never does: looking for tables (`checking.py` was told that there is none).
Tested in: tests/acceptance/test_check.py.
"""

from __future__ import annotations

import difflib
from dataclasses import replace

from connector.endpoints.dataverse.administration import Administration
from connector.errors import DualWriteError, Problem
from connector.mapping.document import MapDocument
from connector.mapping.moving.known import known_entity
from connector.mapping.values import Side


def meant(document: MapDocument, problem: Problem, organization: Administration) -> Problem:
    """The finding with the table that was meant, if it is about a table and one is near."""
    if problem.code != "entity-unknown":
        return problem
    if problem.subject.side == Side.DATAVERSE.value:
        near = _in_dataverse(document.dataverse.entity, organization)
    else:
        known = known_entity(document.commerce.entity)
        near = known.entity_set if known is not None else None
    if near is None or near == problem.subject.entity:
        return problem
    return replace(problem, remedy=f"did you mean `{near}`? Else: {problem.remedy}")


def _in_dataverse(written: str, organization: Administration) -> str | None:
    try:
        names = organization.set_names()
    except DualWriteError:
        return None  # whoever may not list tables is told what a name looks like
    by_name = {name.casefold(): set_name for name, set_name in names.items()}
    by_name.update({set_name.casefold(): set_name for set_name in names.values()})
    near = difflib.get_close_matches(written.casefold(), by_name, n=1)
    return by_name[near[0]] if near else None
