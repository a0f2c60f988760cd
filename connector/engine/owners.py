"""Who owns the rows a map creates in Dataverse.

Owns: finding the team or user a map names, and whether it can own rows.
Never does: changing the owner of a row that is there.
Tested in: tests/unit/engine/test_owners.py, tests/acceptance/test_owners.py.

Facts: "Dataverse: reference/entities/team": every business unit has a default team; an access
team (`teamtype` 1) owns nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from connector.endpoints.base import Endpoint, Row
from connector.errors import MapError
from connector.mapping.compiling.compiled import CompiledMap
from connector.mapping.compiling.owning import OWNER, ByCompany
from connector.mapping.document import MapDocument
from connector.mapping.end import NamedOwner
from connector.mapping.values import normal_key

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
    """The map with the owners its rows get; raises as `owners_of` does."""
    owner = map.document.dataverse.owner
    if owner is None:
        return map
    found = {code: one.reference for code, one in owners_of(map.document, endpoint).items()}
    everyone = found.pop(None, None)
    if map.company is None or not owner.by_company:
        return map.with_owner({OWNER: everyone})
    named = {normal_key(code) or "": reference for code, reference in found.items()}
    by_default = owner.company is not None
    return map.with_owner(ByCompany(map.company, named, everyone, by_default))


def owners_of(document: MapDocument, endpoint: Endpoint) -> Mapping[str | None, Found]:
    """The owners a map names, by company; None stands for all other rows.

    `endpoint` is that of Dataverse. Raises `MapError`: `owner-unknown`, `owner-ambiguous`,
    `owner-unfit`.
    """
    owner = document.dataverse.owner
    if owner is None:
        return {}
    return {code: _found(document, code, one, endpoint) for code, one in owner.named()}


def _found(document: MapDocument, code: str | None, owner: NamedOwner, endpoint: Endpoint) -> Found:
    kind, name = owner.named
    at = () if code is None else ("companies", code)
    subject = document.file.subject("dataverse", "owner", *at, map=document.map)
    found = _users(endpoint, name) if kind == "user" else _teams(endpoint, owner)
    if not found:
        raise MapError(
            "owner-unknown",
            f"Dataverse has no {_spoken(kind)} `{name}`",
            remedy="correct the name, or create it",
            subject=subject,
        )
    if len(found) > 1:
        raise MapError(
            "owner-ambiguous",
            f"Dataverse has several: {_spoken(kind)} `{name}`",
            remedy="name one that there is once, or rename the others",
            subject=subject,
        )
    entity, row, unfit = found[0]
    if unfit:
        raise MapError(
            "owner-unfit",
            f"`{name}` is {unfit}, which cannot own rows",
            remedy="name a team of type Owner or of a Microsoft Entra group, or an enabled user",
            subject=subject,
        )
    return Found(entity, row.id, str(row.image[0]))


def _teams(endpoint: Endpoint, owner: NamedOwner) -> Sequence[tuple[str, Row, str]]:
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
