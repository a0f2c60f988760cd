"""The Dataverse tables the maps need, described so that they can be made.

Owns: the files of `mappings/tables/`, and what a map alone says about its table.
Never does: comparing with what is there (`provision.py`); knowing how a table is made.
Tested in: tests/unit/mapping/test_tables.py.

A file gives what a map cannot: titles, the case of names, where a lookup points. A column without
one is derived from the map's row and the commerce column.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, StrictInt, ValidationError, model_validator

from connector.errors import MapError, Problem, Subject
from connector.mapping.columns import Column
from connector.mapping.document import FieldRow, MapDocument
from connector.mapping.findings import Contradiction, map_error
from connector.mapping.values import Side, ValueType
from connector.mapping.yaml_file import read_yaml

FOLDER = "tables"
"""Below the folder of the maps."""

TEXT_LENGTH = 100
LONGEST_TEXT = 4000
INT32 = 2**31 - 1

SchemaName = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9]{1,7}_[A-Za-z][A-Za-z0-9_]*$")]


# ---------------------------------------------------------------------------- the files


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


_BELONGING = ((ValueType.CHOICE, "options"), (ValueType.REFERENCE, "target"))
"""What one type has to have, and no other may."""


def _for_editors(schema: dict[str, Any]) -> None:
    """What belongs to one type only, in the words of JSON Schema."""
    schema["allOf"] = [
        {
            "if": {"properties": {"type": {"const": value_type.value}}},
            "then": {"required": [name]},
            "else": {"properties": {name: False}},
        }
        for value_type, name in _BELONGING
    ]


class ColumnDefinition(_Model):
    """One column; what its type has no use for is left out."""

    model_config = ConfigDict(json_schema_extra=_for_editors)

    column: SchemaName = Field(description="Schema name, such as msdyn_CardNumber.")
    title: str = Field(min_length=1, description="Label in the organization's base language.")
    type: ValueType
    length: int = Field(TEXT_LENGTH, ge=1, le=LONGEST_TEXT, description="Of a text.")
    scale: int = Field(2, ge=0, le=10, description="Decimal places.")
    minimum: StrictInt | None = None
    maximum: StrictInt | None = None
    options: dict[str, StrictInt] | None = Field(
        None, min_length=1, description="Label to value, of a choice."
    )
    target: str | None = Field(None, description="Entity set a reference points to.")
    required: bool = Field(False, description="Business required.")

    @model_validator(mode="after")
    def _whole(self) -> Self:
        for value_type, name in _BELONGING:
            if (self.type is value_type) != (getattr(self, name) is not None):
                raise Contradiction(
                    f"`{name}` belongs to type {value_type}, and only there",
                    name,
                    remedy=f"give a {value_type} its `{name}`, and no other type one",
                )
        return self


class TableDefinition(_Model):
    """One table."""

    table: str = Field(min_length=1, description="Entity set name, as in the map.")
    name: SchemaName = Field(description="Schema name, with your publisher's prefix.")
    title: str = Field(min_length=1, description="Label of one row's kind.")
    titles: str = Field(min_length=1, description="The same of many.")
    columns: list[ColumnDefinition] = Field(min_length=1)


def read_definitions(maps: Path) -> Mapping[str, TableDefinition]:
    """Definitions by entity set name; raises `MapError` with file and line."""
    found: dict[str, TableDefinition] = {}
    for path in sorted((maps / FOLDER).glob("*.yaml")):
        file = read_yaml(path)
        if not isinstance(file.data, dict):
            raise MapError(
                "map-not-a-table",
                "the file does not describe a table",
                subject=file.subject(),
                remedy="start it with `table: ENTITY_SET`; see docs/provisioning.md",
            )
        known = [*TableDefinition.model_fields, *ColumnDefinition.model_fields]
        try:
            definition = TableDefinition.model_validate(file.data)
        except ValidationError as error:
            raise map_error(file, error, known) from None
        if definition.table in found:
            raise MapError(
                "table-twice",
                f"table `{definition.table}` is described in another file already",
                subject=file.subject("table"),
                remedy="keep one of the two files",
            )
        found[definition.table] = definition
    return found


# ---------------------------------------------------------------------------- what is wanted


@dataclass(frozen=True, slots=True)
class WantedColumn:
    """One column as it would be made; facets its type does not have stay at their defaults."""

    schema_name: str
    title: str
    type: ValueType
    length: int = TEXT_LENGTH
    scale: int = 2
    minimum: int | None = None
    maximum: int | None = None
    options: Mapping[int, str] = field(default_factory=dict)
    """Value to label."""
    target: str | None = None
    required: bool = False

    @property
    def name(self) -> str:
        """The logical name."""
        return self.schema_name.lower()


@dataclass(frozen=True, slots=True)
class WantedTable:
    """One table as it would be made; `primary` is the column that names its rows to people."""

    set_name: str
    schema_name: str
    title: str
    titles: str
    primary: WantedColumn
    columns: tuple[WantedColumn, ...]
    """All columns but the primary one."""
    key: tuple[str, ...]
    """Logical names of the columns of the alternate key; none where rows pair by their id."""

    @property
    def name(self) -> str:
        """The logical name."""
        return self.schema_name.lower()


def wanted_table(
    documents: Sequence[MapDocument],
    definition: TableDefinition | None,
    commerce: Mapping[str, Mapping[str, Column]],
) -> tuple[WantedTable, list[Problem]]:
    """The table all these maps work, at least one, and what cannot be known of it.

    `commerce` holds, by map, the columns of its commerce entity.
    """
    first = documents[0]
    set_name = first.dataverse.entity
    schema_name = definition.name if definition else _singular(set_name)
    row_id = f"{schema_name}id".lower()
    columns = {one.name: one for one in _defined(definition)}
    problems: list[Problem] = []
    for document in documents:
        live = {name.casefold(): one for name, one in commerce[document.map].items()}
        for index, row in enumerate(document.fields):
            name = (row.dataverse or "").partition(".")[0]
            # Dataverse makes the columns without a publisher's prefix itself, and the row's id.
            if "_" not in name or name in columns or name == row_id:
                continue
            derived = _derived(name, row, live.get((row.commerce or "").casefold()))
            if derived is None:
                problems.append(_undescribed(document, index, name))
            else:
                columns[name] = derived
    keyed = [row.dataverse for row in first.fields if row.key and row.dataverse]
    key = tuple(name.partition(".")[0] for name in keyed)
    if row_id in key:
        key = ()
    texts = [name for name in key if name in columns and columns[name].type is ValueType.TEXT]
    if texts:
        primary = columns.pop(texts[0])
    else:
        prefix = schema_name.partition("_")[0]
        naming = WantedColumn(f"{prefix}_Name", "Name", ValueType.TEXT)
        primary = columns.pop(naming.name, naming)
    bare = schema_name.partition("_")[2] or schema_name
    singular = definition.title if definition else bare
    titles = definition.titles if definition else (set_name.partition("_")[2] or set_name)
    wanted = WantedTable(
        set_name, schema_name, singular, titles, primary, tuple(columns.values()), key
    )
    return wanted, problems


def described_table(definition: TableDefinition, key: str) -> WantedTable:
    """A table that no map works, as its file describes it; `key` is its text column for one row."""
    columns = {one.name: one for one in _defined(definition)}
    primary = columns.pop(key)
    names = (definition.table, definition.name, definition.title, definition.titles)
    return WantedTable(*names, primary, tuple(columns.values()), (key,))


def _defined(definition: TableDefinition | None) -> Iterator[WantedColumn]:
    for one in definition.columns if definition else ():
        yield WantedColumn(
            one.column,
            one.title,
            one.type,
            one.length,
            one.scale,
            one.minimum,
            one.maximum,
            {value: label for label, value in (one.options or {}).items()},
            one.target,
            one.required,
        )


def _derived(name: str, row: FieldRow, commerce: Column | None) -> WantedColumn | None:
    """The column of one row; None where neither row nor commerce column says what it is."""
    title = row.commerce or name.partition("_")[2]
    if "." in (row.dataverse or ""):
        return None
    if row.value_map is not None:
        return _by_values(name, title, row.value_map)
    if row.constant is not None:
        commerce = Column("", _type_of(row.constant))
    if row.join is not None:
        commerce = Column("", ValueType.TEXT)
    value_type = row.type or (commerce.type if commerce is not None else None)
    if commerce is None or value_type in (None, ValueType.CHOICE, ValueType.REFERENCE):
        return None
    assert value_type is not None
    return WantedColumn(
        name,
        title,
        value_type,
        length=min(commerce.max_length or TEXT_LENGTH, LONGEST_TEXT),
        scale=2 if commerce.scale is None else min(commerce.scale, 10),
        minimum=_within(commerce.minimum),
        maximum=_within(commerce.maximum),
        required=row.key,
    )


def _by_values(name: str, title: str, values: Mapping[str, object]) -> WantedColumn:
    targets = list(values.values())
    if all(isinstance(value, bool) for value in targets):
        return WantedColumn(name, title, ValueType.BOOLEAN)
    if all(isinstance(value, int) and not isinstance(value, bool) for value in targets):
        options = {value: symbol for symbol, value in values.items() if isinstance(value, int)}
        return WantedColumn(name, title, ValueType.CHOICE, options=options)
    return WantedColumn(name, title, ValueType.TEXT)


def _type_of(constant: object) -> ValueType:
    if isinstance(constant, bool):
        return ValueType.BOOLEAN
    if isinstance(constant, int):
        return ValueType.INTEGER
    return ValueType.DECIMAL if isinstance(constant, float) else ValueType.TEXT


def _within(bound: int | None) -> int | None:
    """A bound a whole number of Dataverse can have: 32 bits."""
    return None if bound is None else max(-INT32 - 1, min(bound, INT32))


def _singular(set_name: str) -> str:
    """How a table is called whose rows make up this set."""
    for ending, singular in (("ies", "y"), ("ses", "s"), ("xes", "x"), ("ches", "ch")):
        if set_name.endswith(ending):
            return set_name.removesuffix(ending) + singular
    return set_name.removesuffix("s")


def _undescribed(document: MapDocument, index: int, name: str) -> Problem:
    return Problem(
        "column-undescribed",
        f"the map does not say enough of `{name}` to make it",
        f"describe it in {FOLDER}/{document.dataverse.entity}.yaml beside the maps, or make it "
        "by hand",
        document.field_subject(index, Side.DATAVERSE.value),
    )


def by_table(documents: Iterable[MapDocument]) -> Mapping[str, list[MapDocument]]:
    """Maps by the entity set they work, in the order of their names."""
    found: dict[str, list[MapDocument]] = {}
    for document in documents:
        found.setdefault(document.dataverse.entity, []).append(document)
    return found


def unprefixed(wanted: WantedTable) -> Problem | None:
    """What is wrong with a name Dataverse would not take for a new table."""
    if "_" in wanted.schema_name:
        return None
    return Problem(
        "table-unprefixed",
        f"`{wanted.set_name}` is no name for a new table: it has no publisher's prefix",
        "correct `dataverse.entity` of the map, or install the solution that has this table",
        Subject(side="dataverse", entity=wanted.set_name),
    )
