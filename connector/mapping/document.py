"""A map as its author wrote it.

Owns: the document model of one map file, from which the JSON Schema is made as well.
Never does: looking at a live system; the compiler joins a document with live columns.
Tested in: tests/unit/mapping/test_document.py.
"""

from __future__ import annotations

import hashlib
import json
from enum import StrEnum
from pathlib import Path
from typing import Any, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, ValidationError, model_validator

from connector.errors import MapError, Subject
from connector.mapping.end import DataverseEnd as DataverseEnd
from connector.mapping.end import End as End
from connector.mapping.end import Inactive as Inactive
from connector.mapping.end import Owner as Owner
from connector.mapping.findings import Contradiction, map_error
from connector.mapping.mode import Mode as Mode
from connector.mapping.mode import refuse_other_than_appending
from connector.mapping.rows import FieldRow as FieldRow
from connector.mapping.rows import Join as Join
from connector.mapping.rows import Policy as Policy
from connector.mapping.rows import Symbol as Symbol
from connector.mapping.transforms.step_tables import Default as Default
from connector.mapping.transforms.step_tables import Unmatched as Unmatched
from connector.mapping.transforms.steps import SETTINGS
from connector.mapping.values import Side
from connector.mapping.yaml_file import YamlFile, parse_yaml, read_yaml


class DeletePolicy(StrEnum):
    """What a delete on one side means for the other."""

    PROPAGATE = "propagate"
    RESTORE = "restore"
    DEACTIVATE = "deactivate"
    IGNORE = "ignore"


class FilterExit(StrEnum):
    """What happens to the other side's row when a row leaves the filter after it was in sync."""

    KEEP = "keep"
    DELETE = "delete"


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Deletes(_Model):
    """By the side where the delete happened."""

    commerce: DeletePolicy = DeletePolicy.PROPAGATE
    dataverse: DeletePolicy = DeletePolicy.RESTORE


class OverlaidPart(NamedTuple):
    """One value an overlay has changed; `at` reads `fields.CardTenderType.sync`."""

    at: str
    value: Any
    instead: Any
    """What the map itself says; None where it says nothing."""


class Overlaid(NamedTuple):
    """What an environment has changed about a map."""

    environment: str
    file: str
    parts: tuple[OverlaidPart, ...]


class MapDocument(_Model):
    """One map file."""

    map: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$", description="Name of the map.")
    title: str = ""
    version: str = Field("1.0.0.0", pattern=r"^\d+\.\d+\.\d+\.\d+$")
    enabled: bool = Field(True, description="A map that is off is left out by every command.")
    mode: Mode = Field(
        Mode.SYNC,
        description="`append`: rows of one side are added to the other once, and never changed.",
    )
    commerce: End
    dataverse: DataverseEnd
    master: Side = Side.COMMERCE
    conflict: Policy = Policy.MANUAL
    deletes: Deletes = Deletes()
    filter_exit: FilterExit = Field(
        FilterExit.KEEP,
        description="What a row that leaves its filter means for the other side's row.",
    )
    blank_wins: bool = Field(False, description="At first contact the master's null wins too.")
    delete_guard: bool = Field(
        True, description="`false`: rows that are only shown may go in any number."
    )
    fields: list[FieldRow] = Field(min_length=1)

    _file: YamlFile = PrivateAttr(default_factory=lambda: YamlFile("", None))
    _overlaid: Overlaid | None = PrivateAttr(None)

    @property
    def name(self) -> str:
        """The map's name."""
        return self.map

    @property
    def file(self) -> YamlFile:
        """The file it was read from; its marks place every finding."""
        return self._file

    @property
    def overlaid(self) -> Overlaid | None:
        """What an overlay has changed; None for the map as its own file has it."""
        return self._overlaid

    def placed(self, file: YamlFile, overlaid: Overlaid | None = None) -> Self:
        """This document, which was read from `file`."""
        self._file, self._overlaid = file, overlaid
        return self

    def end(self, side: Side) -> End:
        """The end on one side."""
        return self.commerce if side is Side.COMMERCE else self.dataverse

    @property
    def appends_to(self) -> Side | None:
        """The side an append map adds rows to; None for a map that keeps both sides equal."""
        return next(iter(self.fields[0].ways)) if self.mode is Mode.APPEND else None

    @property
    def followed(self) -> tuple[Side, ...]:
        """The sides whose changes are read."""
        return tuple(side for side in Side if side is not self.appends_to)

    def system(self, side: Side) -> str:
        """The name of the configured system an end lies on; there may be several for commerce."""
        return self.commerce.side or side.value if side is Side.COMMERCE else side.value

    def commerce_columns(self, row: FieldRow) -> list[str]:
        """The commerce columns that are a row's own.

        One that has a row of its own only says in a `lookup` where rows are looked for.
        """
        if row.lookup is None:
            return list(row.commerce_columns)
        alone = {one.commerce.casefold() for one in self.fields if one.commerce is not None}
        return [name for name in row.commerce_columns if name.casefold() not in alone]

    def spoken(self, column: str, value: object) -> str:
        """A Dataverse value for people: a choice with the commerce symbol it stands for."""
        for row in self.fields:
            if row.dataverse == column and row.value_map is not None:
                for symbol, number in row.value_map.items():
                    if number == value:
                        return f"{symbol} ({value})"
        return "(none)" if value is None else str(value)

    def field_subject(self, index: int, *parts: str | int) -> Subject:
        """The place of a field row, or of one part of it."""
        place = ("fields", index, *parts)
        return self._file.subject(*place, map=self.map, field=self.fields[index].name)

    def fingerprint(self) -> str:
        """Changes exactly when the meaning of the map may have changed."""
        # A key that an older map does not have leaves its fingerprint as it was.
        of_no_meaning = {"title", "version", "enabled"}
        meaning = self.model_dump(mode="json", exclude=of_no_meaning, exclude_defaults=True)
        text = json.dumps(meaning, sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.mode is Mode.APPEND:
            refuse_other_than_appending(self)
        self._keys_travel()
        self._guard_fits()
        for policy, side in (
            (self.deletes.commerce, Side.COMMERCE),
            (self.deletes.dataverse, Side.DATAVERSE),
        ):
            if policy is DeletePolicy.DEACTIVATE and self.end(side.other).inactive is None:
                raise Contradiction(
                    f"`deletes.{side}: deactivate` needs `inactive: {{column, value}}` under "
                    f"`{side.other}`",
                    "deletes",
                    side.value,
                    remedy=f"under `{side.other}` add `inactive: {{column: NAME, value: VALUE}}`, "
                    "how that side marks a record as no longer active",
                )
        for side in Side:
            self._no_column_twice(side)
        self._contexts_fit()
        self._groups_agree()
        return self

    def _guard_fits(self) -> None:
        if not self.delete_guard and len({side for row in self.fields for side in row.ways}) > 1:
            raise Contradiction(
                "rows both sides write hold people's work: the delete guard stays",
                "delete_guard",
                remedy="take it away, or write every row one way, with `>` or with `<`",
            )

    def _keys_travel(self) -> None:
        if not any(row.key for row in self.fields):
            raise Contradiction(
                "no field has `key: true`; the key pairs the records of both sides",
                "fields",
                code="key-none",
                remedy="add `key: true` to the row whose column no two records share",
            )
        ways = frozenset[Side]().union(*(row.ways for row in self.fields))
        for index, row in enumerate(self.fields):
            if row.key and row.ways != ways:
                symbol = "=" if len(ways) == 2 else ">" if Side.DATAVERSE in ways else "<"
                raise Contradiction(
                    f"a key field travels wherever any field does: `{symbol}`",
                    "fields",
                    index,
                    "sync",
                    code="key-one-way",
                    remedy=f'write `sync: "{symbol}"`',
                )

    def _no_column_twice(self, side: Side) -> None:
        seen: set[str] = set()
        for index, row in enumerate(self.fields):
            right = [] if row.dataverse is None else [row.dataverse]
            part = side.value
            if side is Side.COMMERCE and (row.join is not None or row.lookup is not None):
                part = "join" if row.join is not None else "lookup"
            for column in self.commerce_columns(row) if side is Side.COMMERCE else right:
                bare = column.split(".")[0]
                bare = bare.casefold() if side is Side.COMMERCE else bare
                if bare in seen:
                    raise Contradiction(
                        f"{side} column `{column}` stands in two rows, or twice in one",
                        "fields",
                        index,
                        part,
                        code="column-twice",
                        remedy="keep one of the two",
                    )
                seen.add(bare)

    def _contexts_fit(self) -> None:
        """Where a row is looked for, and what is looked for there, are one value."""
        alone = {row.commerce.casefold(): row for row in self.fields if row.commerce is not None}
        for index, row in enumerate(self.fields):
            if row.lookup is None:
                continue
            if Side.COMMERCE in row.ways and not self.commerce_columns(row):
                raise Contradiction(
                    "every column of this lookup has a row of its own: nothing of it would be "
                    "written to commerce",
                    "fields",
                    index,
                    "sync",
                    remedy='write `sync: ">"`, or take away the row of the column that is meant',
                )
            for name, column in row.lookup.items():
                context = alone.get(column.casefold())
                if context is None or context.key:
                    continue  # a key never changes
                if context.together is None or context.together != row.together:
                    raise Contradiction(
                        f"`{column}` says where the row is looked for: if one of the two "
                        "changed alone, it would be another row",
                        "fields",
                        index,
                        "lookup",
                        name,
                        remedy=f"give this row and that of `{column}` the same `together: NAME`",
                    )

    def _groups_agree(self) -> None:
        rules: dict[str, tuple[frozenset[Side], Policy | None]] = {}
        for index, row in enumerate(self.fields):
            if row.together is None:
                continue
            at = ("fields", index, "together")
            if row.key:
                raise Contradiction(
                    f"key field `{row.name}` cannot be in a `together` group",
                    *at,
                    remedy="take `together` away: the key never changes",
                )
            rule = (row.ways, row.conflict)
            if rules.setdefault(row.together, rule) != rule:
                raise Contradiction(
                    f"fields of group `{row.together}` differ in direction or `conflict`",
                    *at,
                    remedy="give them one direction and one `conflict`, or part the group",
                )
        # Conflicts, waits and reports name a group: no two may be called the same.
        taken = set(rules)
        for index, row in enumerate(self.fields):
            if row.together is not None:
                continue
            if row.name in taken:
                raise Contradiction(
                    f"`{row.name}` is the name of another field or group",
                    "fields",
                    index,
                    "commerce" if row.commerce is not None else "dataverse",
                    remedy="give the group a name that no field has",
                )
            taken.add(row.name)


def read_document(path: Path) -> MapDocument:
    """One map file; raises `MapError` with file, line and column."""
    return _document(read_yaml(path))


def parse_document(text: str, path: str = "map.yaml") -> MapDocument:
    """The same from a text."""
    return _document(parse_yaml(text, path))


def read_documents(folder: Path) -> list[MapDocument]:
    """All maps of a folder by name; raises `MapError` (`maps-missing`, `map-twice`)."""
    documents, wrong = read_all(folder)
    if wrong:
        raise wrong[0]
    return documents


def read_all(folder: Path) -> tuple[list[MapDocument], list[MapError]]:
    """The maps of a folder that can be read, by name, and what is wrong with the others."""
    documents: dict[str, MapDocument] = {}
    wrong: list[MapError] = []
    files = sorted([*folder.glob("*.yaml"), *folder.glob("*.yml")])
    for file in files:
        try:
            document = read_document(file)
        except MapError as error:
            wrong.append(error)
            continue
        known = documents.setdefault(document.map, document)
        if known is not document:
            wrong.append(
                MapError(
                    "map-twice",
                    f"map `{document.map}` is defined in {known.file.path} already",
                    subject=document.file.subject("map", map=document.map),
                    remedy="give one of the two another name",
                )
            )
    if not files:
        wrong.append(
            MapError(
                "maps-missing",
                "there is no map file in this folder",
                subject=Subject(file=str(folder)),
                remedy="set `maps.path` in the config, or make a project with `dualwrite init DIR`",
            )
        )
    return [documents[name] for name in sorted(documents)], wrong


def _document(file: YamlFile) -> MapDocument:
    if not isinstance(file.data, dict):
        raise MapError(
            "map-not-a-table",
            "the file does not hold a map",
            subject=file.subject(),
            remedy="start it with `map: NAME`; see docs/maps.md",
        )
    try:
        return MapDocument.model_validate(file.data).placed(file)
    except ValidationError as error:
        raise map_error(file, error, _KNOWN_KEYS) from None


_MODELS: tuple[type[BaseModel], ...] = (
    *(MapDocument, FieldRow, Join, DataverseEnd, Owner, Deletes, Default, Unmatched, Inactive),
    *SETTINGS,
)
_KNOWN_KEYS = sorted({name for model in _MODELS for name in model.model_fields})
