"""Who owns the rows a map creates in Dataverse.

Owns: finding the team or user a map names, and whether it can own rows.
Never does: changing the owner of a row that is there.
Tested in: tests/unit/engine/test_owners.py, tests/acceptance/test_owners.py.

Facts: "Dataverse: reference/entities/team": every business unit has a default team; an access
team (`teamtype` 1) owns nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from connector.endpoints.base import Endpoint, Row
from connector.errors import MapError
from connector.mapping.compiling.compiled import CompiledMap
from connector.mapping.document import MapDocument, Owner
from connector.mapping.values import Side

COLUMN = "ownerid"
_TEAM = ("name", "teamtype", "isdefault")
_ACCESS = 1
_USER = ("fullname", "isdisabled")


class Found(NamedTuple):
    """A team or a user: its entity set, id and name."""

    entity: str
    id: str
    name: str

    @property
    def reference(self) -> str:
        """As a row's owner is written: `teams(ID)`."""
        return f"{self.entity}({self.id})"


def owned(map: CompiledMap, endpoint: Endpoint) -> CompiledMap:
    """The map with the owner its rows get; raises as `owner_of` does."""
    found = owner_of(map.document, endpoint)
    return map if found is None else map.with_fixed(Side.DATAVERSE, {COLUMN: found.reference})


def owner_of(document: MapDocument, endpoint: Endpoint) -> Found | None:
    """The owner a map names, None where it names none; `endpoint` is that of Dataverse.

    Raises `MapError`: `owner-unknown`, `owner-ambiguous`, `owner-unfit`.
    """
    owner = document.dataverse.owner
    if owner is None:
        return None
    kind, name = owner.named
    found = _users(endpoint, name) if kind == "user" else _teams(endpoint, owner)
    if not found:
        raise _wrong(
            document,
            "owner-unknown",
            f"Dataverse has no {_spoken(kind)} `{name}`",
            "correct the name, or create it",
        )
    if len(found) > 1:
        raise _wrong(
            document,
            "owner-ambiguous",
            f"Dataverse has several: {_spoken(kind)} `{name}`",
            "name one that there is once, or rename the others",
        )
    entity, row, unfit = found[0]
    if unfit:
        raise _wrong(
            document,
            "owner-unfit",
            f"`{name}` is {unfit}, which cannot own rows",
            "name a team of type Owner or of a Microsoft Entra group, or an enabled user",
        )
    return Found(entity, row.id, str(row.image[0]))


def _teams(endpoint: Endpoint, owner: Owner) -> Sequence[tuple[str, Row, str]]:
    if owner.team is not None:
        rows = _read(endpoint, "teams", _TEAM, "name", [owner.team])
    else:
        units = _read(endpoint, "businessunits", ("name",), "name", [owner.unit or ""])
        rows = _read(endpoint, "teams", _TEAM, "businessunitid", [unit.id for unit in units])
        rows = [row for row in rows if row.image[2]]
    return [("teams", r, "an access team" if r.image[1] == _ACCESS else "") for r in rows]


def _users(endpoint: Endpoint, name: str) -> Sequence[tuple[str, Row, str]]:
    rows = _read(endpoint, "systemusers", _USER, "domainname", [name])
    if not rows:
        rows = _read(endpoint, "systemusers", _USER, "internalemailaddress", [name])
    return [("systemusers", row, "disabled" if row.image[1] else "") for row in rows]


def _read(
    endpoint: Endpoint, entity: str, columns: Sequence[str], by: str, values: Sequence[str]
) -> list[Row]:
    if not values:
        return []
    found = endpoint.read(entity, columns, by=by, values=values).rows
    return [row for rows in found.values() for row in rows]


def _spoken(kind: str) -> str:
    return {"unit": "business unit, or no default team of it,"}.get(kind, kind)


def _wrong(document: MapDocument, code: str, message: str, remedy: str) -> MapError:
    subject = document.file.subject("dataverse", "owner", map=document.map)
    return MapError(code, message, subject=subject, remedy=remedy)
