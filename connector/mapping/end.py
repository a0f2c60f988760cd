"""One end of a map: a table of one side, and what is said of its rows.

Owns: entity, filter, the mark of inactive rows, who owns new rows.
Never does: fields; looking at a live system.
Tested in: tests/unit/mapping/test_document.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal, Self, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, StrictStr, model_validator

from connector.mapping.findings import Contradiction
from connector.mapping.rows import ColumnName
from connector.mapping.transforms.step import Scalar


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Inactive(_Model):
    """The column and value by which a side marks a record as no longer active."""

    column: ColumnName
    value: Scalar


class End(_Model):
    """One end of the map: the entity set, and which configured side it lies on."""

    entity: str = Field(min_length=1, description="Entity set name, e.g. msdyn_loyaltycards.")
    side: str | None = Field(None, description="Name of the side, where there is more than one.")
    inactive: Inactive | None = None
    filter: str | None = Field(
        None, min_length=1, description="OData condition; only rows that meet it travel."
    )


class NamedOwner(_Model):
    """A team or a user that may own rows; exactly one of these."""

    team: str | None = Field(None, min_length=1, description="Name of a team that may own rows.")
    unit: str | None = Field(
        None, min_length=1, description="Name of a business unit, whose default team it is."
    )
    user: str | None = Field(
        None, min_length=1, description="User name (UPN) or primary e-mail of a user."
    )

    @property
    def named(self) -> tuple[str, str]:
        """Which of them, and its name."""
        return next((kind, name) for kind, name in self if name is not None)

    @model_validator(mode="after")
    def _one(self) -> Self:
        if sum(name is not None for _, name in self) != 1:
            raise Contradiction(
                "rows have one owner: a team, the default team of a unit, or a user",
                remedy="write one of `{team: NAME}`, `{unit: NAME}` and `{user: NAME}`",
            )
        return self


CompanyCode: TypeAlias = Annotated[StrictStr, Field(min_length=1)]


class Owner(_Model):
    """Who owns the rows a map creates: one of the first four for all rows, or by company."""

    team: str | None = Field(None, min_length=1, description="Name of a team that may own rows.")
    unit: str | None = Field(
        None, min_length=1, description="Name of a business unit, whose default team it is."
    )
    user: str | None = Field(
        None, min_length=1, description="User name (UPN) or primary e-mail of a user."
    )
    company: Literal["default"] | None = Field(
        None, description="`default`: the default owning team of the company a row belongs to."
    )
    companies: dict[CompanyCode, NamedOwner] | None = Field(
        None, min_length=1, description="Owners by the code of the company, before the others."
    )

    @property
    def for_all(self) -> NamedOwner | None:
        """Who owns the rows of companies that are not named."""
        if self.team is self.unit is self.user is None:
            return None
        return NamedOwner(team=self.team, unit=self.unit, user=self.user)

    @property
    def by_company(self) -> bool:
        """Whether it takes the company of a row to say who owns it."""
        return self.company is not None or self.companies is not None

    @property
    def of_dual_write(self) -> bool:
        """Whether dual-write gives rows of a company just this owner, without being told."""
        return self.company is not None and self.companies is None

    def named(self) -> Iterator[tuple[str | None, NamedOwner]]:
        """Everybody who is named, by the company it is named for; None for all others."""
        yield from (self.companies or {}).items()
        if (everyone := self.for_all) is not None:
            yield None, everyone

    def __str__(self) -> str:
        """For people."""
        parts = [f"{code}: {' '.join(one.named)}" for code, one in (self.companies or {}).items()]
        if self.company is not None:
            parts.append("the default owning team of their company")
        if (everyone := self.for_all) is not None:
            parts.append(" ".join(everyone.named))
        return ", ".join(parts)

    @model_validator(mode="after")
    def _one(self) -> Self:
        whole = [self.team, self.unit, self.user, self.company]
        named = sum(name is not None for name in whole)
        if named > 1 or (named == 0 and self.companies is None):
            raise Contradiction(
                "rows have one owner: a team, the default team of a unit, a user, or that of "
                "their company",
                remedy="write one of `owner: {team: NAME}`, `{unit: NAME}`, `{user: NAME}` and "
                "`{company: default}`; `companies: {CODE: {team: NAME}}` may stand beside it",
            )
        return self


class DataverseEnd(End):
    """The Dataverse end."""

    owner: Owner | None = Field(
        None, description="Who owns the rows this map creates; rows that are there keep theirs."
    )
