"""Who owns a new row of Dataverse where that goes by company.

Owns: the owner by the company of the record, and that a map says which company that is.
Never does: asking Dataverse who is who (`engine/owners.py`, `engine/lookups.py`).
Tested in: tests/unit/mapping/test_compiler.py, tests/integration/engine/test_companies.py.

Facts: "company-data" of dual-write: rows of a company belong to its `cdm_defaultowningteam`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from connector.errors import Problem
from connector.mapping.compiling.fields import Field
from connector.mapping.compiling.joined_rows import COMPANIES, company_row
from connector.mapping.compiling.row_compiler import RowCompiler
from connector.mapping.references import Lookup
from connector.mapping.transforms.translate import Untranslatable
from connector.mapping.values import Image, Value, normal_key

OWNER = "ownerid"
DEFAULT_TEAM = "cdm_defaultowningteam"
"""The column of a company that points to the team its rows belong to."""
WITHOUT_TEAM = "company-without-team"
GIVE_A_TEAM = "give the company one in Dataverse, or name its owner under `owner.companies`"


class Company(NamedTuple):
    """Which company a record of commerce belongs to."""

    place: int
    """Where the image of commerce holds its code."""
    lookup: Lookup
    """Finds its row by that."""


@dataclass(frozen=True, slots=True)
class ByCompany:
    """The owner of a new row, by the image of commerce it is made from."""

    company: Company
    named: Mapping[str, str]
    """`teams(ID)` or `systemusers(ID)` by the normalised code of a company."""
    others: str | None
    """The same for all other companies; None leaves their rows to whoever creates them."""
    by_default: bool
    """Whether the others have the default team of their company instead."""
    teams: dict[str, str | None] = field(default_factory=dict)
    """The default team by the id of a company, as far as it was asked for."""

    def unasked(self, images: Iterable[Image]) -> list[str]:
        """The ids of companies whose default team is still to be asked for."""
        if not self.by_default:
            return []
        ids = (self._id(image) for image in images if self._named(image) is None)
        return [id for id in dict.fromkeys(ids) if id is not None and id not in self.teams]

    def given(self, image: Image) -> Mapping[str, Value]:
        """What a new row gets; raises `Untranslatable` where its company has nobody."""
        owner = self._named(image) or self.others
        if owner is None and self.by_default and (id := self._id(image)) is not None:
            team = self.teams.get(id)
            if team is None:
                raise Untranslatable(
                    WITHOUT_TEAM,
                    f"company {image[self.company.place]!r} has no default owning team",
                    f"{GIVE_A_TEAM}; then `dualwrite failures retry`",
                )
            owner = f"teams({team})"
        return {} if owner is None else {OWNER: owner}

    def _named(self, image: Image) -> str | None:
        return self.named.get(normal_key(image[self.company.place]) or "")

    def _id(self, image: Image) -> str | None:
        code = image[self.company.place]
        return None if code is None else self.company.lookup.id_of(str(code))


def company_of(rows: RowCompiler, fields: Iterable[Field]) -> Company | None:
    """Which company a record belongs to, if the map says so."""
    row = company_row(rows)
    for one in fields if row is not None else ():
        if row is not None and one.key and one.name == row.name and one.lookup is not None:
            return Company(one.commerce_index, one.lookup)
    return None


def owner_problems(rows: RowCompiler, company: Company | None) -> Iterator[Problem]:
    """Why an owner cannot go by company."""
    document = rows.document
    owner = document.dataverse.owner
    if owner is None or not owner.by_company:
        return
    part = "company" if owner.company is not None else "companies"
    subject = document.file.subject("dataverse", "owner", part, map=document.map)
    if company is None:
        yield Problem(
            "owner-without-company",
            "the owner goes by company, and no key row says which company a record belongs to",
            'add a row such as `{commerce: dataAreaId, sync: "=", dataverse: '
            "msdyn_company.cdm_companycode, key: true}`, or name one owner for all rows",
            subject,
        )
    elif owner.company is not None and DEFAULT_TEAM not in rows.lookup_columns(COMPANIES):
        yield Problem(
            "owner-without-company",
            f"{COMPANIES} has no column `{DEFAULT_TEAM}`",
            "name the owners under `companies`, or install the solution this column comes with",
            subject,
        )
