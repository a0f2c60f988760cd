"""Whether our application users have the rights the maps need, and no person among them.

Owns: which privilege on which table a map needs, and the findings about a user's rights. Pure.
Never does: reading rights (`endpoints/dataverse/rights.py`).
Tested in: tests/unit/operations/test_rights.py, tests/acceptance/test_rights.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from connector.errors import Problem, Subject
from connector.mapping.document import DeletePolicy, FieldRow, FilterExit, MapDocument
from connector.mapping.values import Side

if TYPE_CHECKING:
    from connector.endpoints.dataverse.rights import UserRights

_PEOPLE = {0: "read and write", 1: "administrative", 2: "read"}
"""Access modes of a user somebody can sign in as."""
_WHOLE = "global"
_OWN_IS_ENOUGH = frozenset({"Create"})
"""Rights that need not reach beyond our own rows."""
_NAMED_OTHERWISE = {"systemuser": "user"}
"""Tables whose privileges do not bear their name."""


class Need(NamedTuple):
    """One right on one table, by its logical name."""

    right: str
    table: str

    @property
    def privilege(self) -> str:
        """The privilege's name; Dataverse compares it without case, and so do we."""
        return f"prv{self.right}{_NAMED_OTHERWISE.get(self.table, self.table)}".lower()


def needs_of(document: MapDocument, table: str, targets: Mapping[str, str]) -> list[Need]:
    """What a map needs on its `table`.

    `targets` are the tables its lookups point to, by what stands before the last dot of a dotted
    name: `lookup`, and `lookup.lookup` for the second step.
    """
    writes = any(Side.DATAVERSE in row.ways for row in document.fields)
    deletes = document.deletes.commerce is DeletePolicy.PROPAGATE
    deletes = deletes or document.filter_exit is FilterExit.DELETE
    rights = ["Read"]
    if document.appends_to is Side.DATAVERSE:
        rights += ["Create"]
    elif writes:
        rights += ["Create", "Write", *(["Delete"] if deletes else [])]
    needs = [Need(right, table) for right in rights]
    owner = document.dataverse.owner
    if owner is not None:
        kinds = {one.named[0] for _, one in owner.named()}
        tables = ["systemuser"] if "user" in kinds else []
        tables += ["team"] if kinds & {"team", "unit"} else []
        tables += ["businessunit"] if "unit" in kinds else []
        needs += [Need("Assign", table), *(Need("Read", one) for one in tables)]
    for row in document.fields:
        for step, path in _steps(row):
            target = targets.get(path)
            if target is None:
                continue
            needs.append(Need("Read", target))
            # Only the first lookup is the row's own, and written.
            if step == 0 and Side.DATAVERSE in row.ways:
                needs += [Need("Append", table), Need("AppendTo", target)]
    return list(dict.fromkeys(needs))


def _steps(row: FieldRow) -> Iterator[tuple[int, str]]:
    """Every lookup a row goes over, with how many come before it."""
    for name in row.paths:
        yield from enumerate(lookup_paths(name))


def lookup_paths(name: str) -> list[str]:
    """The lookups a dotted name goes over, each with those before it: `a.b.c` to `a`, `a.b`."""
    parts = name.split(".")
    return [".".join(parts[:length]) for length in range(1, len(parts))]


def shared_with_people(rights: UserRights) -> Iterator[Problem]:
    """Why a person's edits could be taken for ours."""
    person = rights.application is None
    mode = _PEOPLE.get(rights.access_mode)
    if person or mode is not None:
        why = "has no application id" if person else f"has the access mode {mode}"
        yield Problem(
            "user-shared",
            f"{rights.name}, as whom we work, {why}: what a person edits as this user is taken for "
            "our own write and never travels",
            "create an application user for dataverse.client_id that nobody signs in as",
            Subject(side="dataverse", entity="systemusers"),
        )


def missing(map: str | None, rights: UserRights, needs: Sequence[Need]) -> Iterator[Problem]:
    """Privileges the user lacks for a map, or for none; or has for some rows only."""
    for need in needs:
        depth = rights.privileges.get(need.privilege)
        subject = Subject(map=map, side="dataverse", entity=need.table)
        if depth is None:
            yield Problem(
                "privilege-missing",
                f"{rights.name} lacks {need.right} on {need.table} ({need.privilege})",
                f"give its security role {need.right} on this table at organization level; "
                "docs/security.md lists all it needs",
                subject,
            )
        elif depth.lower() != _WHOLE and need.right not in _OWN_IS_ENOUGH:
            yield Problem(
                "privilege-too-narrow",
                f"{rights.name} has {need.right} on {need.table} for some rows only ({depth})",
                f"give its security role {need.right} on this table at organization level",
                subject,
            )
