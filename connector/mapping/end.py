"""One end of a map: a table of one side, and what is said of its rows.

Owns: entity, filter, the mark of inactive rows, who owns new rows.
Never does: fields; looking at a live system.
Tested in: tests/unit/mapping/test_document.py.
"""

from __future__ import annotations

from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

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


class Owner(_Model):
    """Who owns the rows a map creates; exactly one of these."""

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
                remedy="write one of `owner: {team: NAME}`, `{unit: NAME}` and `{user: NAME}`",
            )
        return self


class DataverseEnd(End):
    """The Dataverse end."""

    owner: Owner | None = Field(
        None, description="Who owns the rows this map creates; rows that are there keep theirs."
    )
