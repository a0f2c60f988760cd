"""One row of a map as its author wrote it: left column, symbol, right column.

Owns: the keys of a row, and which of them contradict each other.
Never does: rules between rows (`document.py`); looking at a live system.
Tested in: tests/unit/mapping/test_document.py, tests/unit/mapping/test_steps.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Annotated, Literal, Self, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, StrictStr, model_validator

from connector.mapping.findings import Contradiction
from connector.mapping.transforms.step import NO_WAY_BACK, Scalar, Transform
from connector.mapping.transforms.step_tables import (
    Default,
    Unmatched,
    Values,
    ValueTable,
    one_to_one,
)
from connector.mapping.transforms.steps import Step, name_of
from connector.mapping.values import Side, ValueType

Symbol: TypeAlias = Literal["=", "><", ">", ">>", "<", "<<"]
ColumnName: TypeAlias = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
DottedName: TypeAlias = Annotated[
    str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*){0,2}$")
]

TO_DATAVERSE = frozenset({"=", "><", ">", ">>"})
TO_COMMERCE = frozenset({"=", "><", "<", "<<"})
TRANSFORMING = frozenset({"><", ">>", "<<"})


class Policy(StrEnum):
    """Who wins when both sides changed one value since they agreed."""

    COMMERCE = "commerce"
    DATAVERSE = "dataverse"
    LATEST = "latest"
    MANUAL = "manual"


class Join(BaseModel):
    """Several commerce columns that become one Dataverse value.

    Where that comes back, each part keeps its place; else empty ones are left out.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    columns: list[ColumnName] = Field(min_length=2)
    by: StrictStr = Field(" ", description="What stands between two of them.")


FoundBy: TypeAlias = Annotated[
    str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)?$")
]
"""A column rows are found by, or a lookup with a column of the row it points to."""
FoundBySeveral: TypeAlias = Annotated[
    dict[FoundBy, ColumnName], Field(json_schema_extra={"additionalProperties": False})
]


class FieldRow(BaseModel):
    """One row of the table: left column, symbol, right column."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    commerce: ColumnName | None = None
    join: Join | None = Field(None, description="Several commerce columns in place of one.")
    lookup: FoundBySeveral | None = Field(
        None,
        min_length=2,
        description="Several columns a row is found by: column there to commerce column.",
    )
    sync: Symbol
    dataverse: DottedName | None = None
    key: bool = False
    type: ValueType | None = Field(None, description="Compare and write as this type.")
    values: ValueTable | None = Field(
        None, description="Commerce value to Dataverse value; one to one."
    )
    unmatched: Unmatched | None = Field(
        None, description="What a side gets for a value that is not in `values`."
    )
    default: Default | None = None
    constant: Scalar | None = Field(None, description="Written where one side has no column.")
    transform: list[Step] | None = Field(
        None, min_length=1, description="Steps, read from commerce to Dataverse."
    )
    back: list[Step] | None = Field(
        None,
        min_length=1,
        description="Steps of the way back, read from Dataverse to commerce, where `transform` "
        "read backwards is not what is meant.",
    )
    together: str | None = Field(None, description="Fields of one group merge as one value.")
    conflict: Policy | None = None

    @property
    def name(self) -> str:
        """What the field is called in messages, conflicts and reports."""
        return self.commerce or self.dataverse or "?"

    @property
    def commerce_columns(self) -> Sequence[str]:
        """The columns of the commerce side: one, several that are one value, or none."""
        if self.join is not None:
            return self.join.columns
        if self.lookup is not None:
            return list(self.lookup.values())
        return [] if self.commerce is None else [self.commerce]

    @property
    def paths(self) -> Sequence[str]:
        """The Dataverse columns with what stands behind them: several where rows are found so."""
        if self.lookup is not None:
            return [f"{self.dataverse}.{name}" for name in self.lookup]
        return [] if self.dataverse is None else [self.dataverse]

    @property
    def ways(self) -> frozenset[Side]:
        """The sides this row writes to."""
        return frozenset(
            side
            for side, symbols in ((Side.DATAVERSE, TO_DATAVERSE), (Side.COMMERCE, TO_COMMERCE))
            if self.sync in symbols
        )

    @property
    def value_map(self) -> Mapping[str, Scalar] | None:
        """Commerce value to Dataverse value, wherever in the row it is written."""
        steps = [*(self.transform or ()), *(self.back or ())]
        return self.values or next((s.values for s in steps if isinstance(s, Values)), None)

    @property
    def transforms(self) -> bool:
        """Whether a value may arrive as another one than it left, but for its type."""
        written = (self.values, self.default, self.constant, self.transform, self.back, self.join)
        return any(part is not None for part in written)

    def steps(self) -> Sequence[tuple[tuple[str | int, ...], Transform]]:
        """The way from commerce to Dataverse: each step, and where in the row it is written."""
        if self.values is not None:
            return [(("values",), Values(values=self.values, unmatched=self.unmatched))]
        return [(("transform", at), step) for at, step in enumerate(self.transform or ())]

    def steps_back(self) -> Sequence[tuple[tuple[str | int, ...], Transform]] | None:
        """The way from Dataverse to commerce; None where it is `steps` read backwards."""
        if self.back is None:
            return None
        return [(("back", at), step) for at, step in enumerate(self.back)]

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.constant is not None:
            self._constant_consistent()
        elif self.join is not None:
            self._join_consistent()
        elif self.lookup is not None:
            self._lookup_consistent(self.lookup)
        elif self.commerce is None or self.dataverse is None:
            raise Contradiction(
                "a row names a column on both sides, or one column and a `constant`",
                code="row-without-column",
                remedy="add the column of the other side, or `constant: VALUE`",
            )
        self._symbol_fits()
        dotted = "." in (self.dataverse or "")
        if dotted and self.values is not None:
            raise Contradiction(
                "a dotted name is looked up and takes no `values`",
                "values",
                remedy="write the value map as a step: `transform: [{values: {...}}]`",
            )
        if self.key and (self.transforms or (self.dataverse or "").count(".") > 1):
            raise Contradiction(
                "a key field holds the same value on both sides: no transform, one dot at most",
                "key",
                remedy="take `key` away, or the transform, or what stands after the dot",
            )
        if self.values is not None and not one_to_one(self.values) and self.sync != ">>":
            raise Contradiction(
                "two commerce values map to one Dataverse value: no way back",
                "values",
                remedy="give each its own Dataverse value, or let the row go one way (`>>`)",
            )
        if self.unmatched is not None and self.values is None:
            raise Contradiction(
                "`unmatched` speaks of a value map, and there is none",
                "unmatched",
                remedy="add `values`, or in a `transform` write it into the step: "
                "`{values: {...}, unmatched: {...}}`",
            )
        if self.transform is not None or self.back is not None:
            self._steps_consistent()
        return self

    def _symbol_fits(self) -> None:
        if self.sync in TRANSFORMING and not self.transforms:
            plain = {"><": "=", ">>": ">", "<<": "<"}[self.sync]
            raise Contradiction(
                f"`{self.sync}` needs `transform`, `values`, `default` or `constant`",
                "sync",
                remedy=f"write `{plain}`, or add one of these",
            )
        if self.sync not in TRANSFORMING and self.transforms:
            turned = {"=": "><", ">": ">>", "<": "<<"}[self.sync]
            raise Contradiction(
                f"a row with a transform is written `{turned}`, not `{self.sync}`",
                "sync",
                remedy=f'write `sync: "{turned}"`',
            )

    def _constant_consistent(self) -> None:
        if (self.commerce is None) == (self.dataverse is None):
            raise Contradiction(
                "a `constant` row names exactly one column, the one it is written to",
                "constant",
                remedy="keep the column of the side that gets the value",
            )
        wanted = ">>" if self.dataverse is not None else "<<"
        if self.sync != wanted:
            raise Contradiction(
                f"this `constant` row is written `{wanted}`",
                "sync",
                remedy=f'write `sync: "{wanted}"`',
            )
        others = (self.values, self.default, self.transform, self.back, self.join, self.lookup)
        if self.key or any(part is not None for part in others):
            raise Contradiction(
                "a `constant` row takes no `key`, `values`, `default`, `transform`, `join` or "
                "`lookup`",
                "constant",
                remedy="take them away, or the `constant`",
            )

    def _join_consistent(self) -> None:
        if self.commerce is not None or self.lookup is not None or self.dataverse is None:
            raise Contradiction(
                "a `join` stands in place of the commerce column, beside a Dataverse column",
                "join",
                remedy='write `{join: {columns: [A, B]}, sync: ">>", dataverse: NAME}`',
            )
        assert self.join is not None
        if Side.COMMERCE in self.ways and not self.join.by:
            raise Contradiction(
                "columns joined by nothing have no way back: nobody knows where one of them ends",
                "join",
                code=NO_WAY_BACK,
                remedy='write `sync: ">>"`, or join them `by` something no value holds',
            )

    def _lookup_consistent(self, lookup: Mapping[str, str]) -> None:
        if self.commerce is not None or self.dataverse is None or self.dataverse.count(".") > 1:
            raise Contradiction(
                "a `lookup` stands in place of the commerce column, beside a lookup column of "
                "Dataverse",
                "lookup",
                remedy='write `{lookup: {THERE: COMMERCE, …}, sync: "=", dataverse: NAME}`',
            )
        others = (self.values, self.default, self.transform, self.back, self.type)
        if self.key or any(part is not None for part in others):
            raise Contradiction(
                "a `lookup` by several columns takes no `key`, `type` or transform",
                "lookup",
                remedy="take them away",
            )
        if all("." in name for name in lookup):
            raise Contradiction(
                "every column of this lookup stands behind a dot: rows are asked for by a column "
                "of their own table first",
                "lookup",
                remedy="name one without a dot; best the one most rows differ in",
            )

    def _steps_consistent(self) -> None:
        if self.values is not None:
            raise Contradiction(
                "beside `transform` a value map is one of its steps, so that their order is seen",
                "values",
                remedy="write `transform: [..., {values: {...}}]`",
            )
        if self.type is not None:
            raise Contradiction(
                "the steps say what a value becomes", "type", remedy="leave `type` out"
            )
        for at, step in enumerate(self.back or ()):
            if isinstance(step, Values) and not step.returns:
                raise _no_way_back(step, "keep one of those that become the same", "back", at)
        if self.back is not None or Side.COMMERCE not in self.ways:
            return
        steps = self.transform or []
        turned = "write the steps as `back`, which is read from Dataverse to commerce"
        only_back = Side.DATAVERSE not in self.ways
        for at, step in enumerate(steps):
            if not step.returns:
                own = ", or give the pattern its own `back`" if name_of(step) == "regex" else ""
                remedy = "let the row go one way (`>>`), or write the way back as `back: [...]`"
                raise _no_way_back(step, turned if only_back else remedy + own, "transform", at)
        if only_back and steps and all(step.idle_back for step in steps):
            raise Contradiction(
                f"`transform` is read from commerce to Dataverse, and on the way back "
                f"`{name_of(steps[0])}` leaves a value as it is: nothing would be done",
                "transform",
                0,
                remedy=turned,
            )


def _no_way_back(step: Transform, remedy: str, *at: str | int) -> Contradiction:
    why = "two commerce values become one Dataverse value: " if isinstance(step, Values) else ""
    return Contradiction(
        f"{why}`{name_of(step)}` has no way back to commerce",
        *at,
        code=NO_WAY_BACK,
        remedy=remedy,
    )
