"""Definitions as clients declare them: JSON of the metadata API read into tables and columns.

Owns: the members of each metadata type, their limits and what they are where nothing is said.
Never does: names that are taken (`customizing/table_changes.py`), showing definitions
(`metadata_json.py`).
Tested in: tests/integration/sandbox/test_metadata_writes.py, test_sdk_tables.py.

Facts: "Dataverse Web API: create-update-entity-definitions-using-web-api",
"create-update-column-definitions-using-web-api". A change is read over the definition it
changes: a member that is absent or null stays as it is (the tolerant reading of "PUT replaces
the whole definition"). The action CreateEntities uses the same members under type names that
begin with `Complex`. The organization has one language; labels in others are not kept.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from connector.sandbox.dataverse.definitions import metadata_errors as refusals
from connector.sandbox.dataverse.definitions.metadata_json import LANGUAGE, TYPE_PREFIX, Json
from connector.sandbox.dataverse.definitions.tables import INT32, INT64, Column, Kind, Table, table

MAX_NAME = 128
MAX_MONEY = 922_337_203_685_477
MAX_DECIMAL = 100_000_000_000
REQUIRED_LEVELS = ("None", "Recommended", "ApplicationRequired", "SystemRequired")
BEHAVIORS = ("UserLocal", "DateOnly", "TimeZoneIndependent")

_KINDS = {
    f"{kind}AttributeMetadata": kind
    for kind in (
        Kind.STRING,
        Kind.MEMO,
        Kind.INTEGER,
        Kind.BIGINT,
        Kind.DECIMAL,
        Kind.MONEY,
        Kind.DOUBLE,
        Kind.BOOLEAN,
        Kind.PICKLIST,
        Kind.MULTI_PICKLIST,
        Kind.DATETIME,
        Kind.FILE,
    )
}
_BLANK: Mapping[Kind, Mapping[str, Any]] = {
    Kind.MEMO: {"max_length": 2000},
    Kind.BIGINT: {"minimum": INT64[0], "maximum": INT64[1]},
    Kind.DECIMAL: {"precision": 2, "minimum": -MAX_DECIMAL, "maximum": MAX_DECIMAL},
    Kind.DOUBLE: {"precision": 2, "minimum": -MAX_DECIMAL, "maximum": MAX_DECIMAL},
    Kind.MONEY: {"precision": 2, "minimum": -MAX_MONEY, "maximum": MAX_MONEY},
    Kind.BOOLEAN: {"options": {0: "No", 1: "Yes"}},
    Kind.FILE: {"creatable": False, "updatable": False},
}
_MAX_LENGTH = {Kind.STRING: 4000, Kind.MEMO: 1_048_576}
_RANGES: Mapping[Kind, tuple[int, int]] = {
    Kind.INTEGER: INT32,
    Kind.DECIMAL: (-MAX_DECIMAL, MAX_DECIMAL),
    Kind.DOUBLE: (-MAX_DECIMAL, MAX_DECIMAL),
    Kind.MONEY: (-MAX_MONEY, MAX_MONEY),
}
_MAX_PRECISION = {Kind.DECIMAL: 10, Kind.DOUBLE: 5, Kind.MONEY: 4}


# ---------------------------------------------------------------------------- members


def type_of(body: Json) -> str:
    """The metadata type of a body without namespace and `Complex`; empty where none is given."""
    text = body.get("@odata.type")
    name = text.lstrip("#").removeprefix(TYPE_PREFIX) if isinstance(text, str) else ""
    return name.removeprefix("Complex")


def text_member(body: Json, name: str, default: str = "") -> str:
    """A text. Raises `WireError` for another type."""
    value = body.get(name)
    if value is None:
        return default
    if not isinstance(value, str):
        raise refusals.invalid(f"'{name}' must be a text.")
    return value


def flag_member(body: Json, name: str, default: bool) -> bool:
    """A boolean, plain or as a managed property. Raises `WireError` for another type."""
    value = body.get(name)
    if isinstance(value, dict):
        value = value.get("Value")
    if value is None:
        return default
    if not isinstance(value, bool):
        raise refusals.invalid(f"'{name}' must be true or false.")
    return value


def label_member(body: Json, name: str, default: str = "") -> str:
    """A Label's text in the organization's language, or in the first one it has."""
    value = body.get(name)
    if value is None:
        return default
    listed = value.get("LocalizedLabels") if isinstance(value, dict) else None
    if not isinstance(listed, list) or not all(isinstance(one, dict) for one in listed):
        raise refusals.invalid(f"'{name}' must be a Label with LocalizedLabels.")
    texts = {one.get("LanguageCode"): one.get("Label") for one in listed}
    found = texts.get(LANGUAGE) or next(iter(texts.values()), None)
    return found if isinstance(found, str) else default


def object_member(body: Json, name: str) -> Json:
    """An object, empty where there is none. Raises `WireError` for another type."""
    value = body.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise refusals.invalid(f"'{name}' must be an object.")
    return value


def list_member(body: Json, name: str) -> list[Json]:
    """A list of objects, empty where there is none. Raises `WireError` for another type."""
    value = body.get(name)
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise refusals.invalid(f"'{name}' must be a list of objects.")
    return value


def options_member(body: Json) -> dict[int, str]:
    """The `Options` of an option set. Raises `WireError`."""
    options: dict[int, str] = {}
    for one in list_member(body, "Options"):
        value = one.get("Value")
        if type(value) is not int or not INT32[0] <= value <= INT32[1]:
            raise refusals.invalid(f"The value of an option must be a number, not {value!r}.")
        if value in options:
            raise refusals.invalid(f"The option value {value} is there twice.")
        options[value] = label_member(one, "Label")
    return options


def _number(body: Json, name: str, default: float, low: float, high: float) -> float:
    value = body.get(name)
    if value is None:
        return default
    if type(value) not in (int, float) or not low <= value <= high:
        raise refusals.invalid(f"'{name}' must be a number from {low} to {high}.")
    return int(value) if value == int(value) else float(value)


# ---------------------------------------------------------------------------- columns


def read_column(body: Json) -> Column:
    """A new column. Raises `WireError`."""
    name = type_of(body) or f"{text_member(body, 'AttributeType')}AttributeMetadata"
    kind = _KINDS.get(name)
    if kind is None:
        raise refusals.invalid(
            f"An attribute of the type '{name}' cannot be created here. A lookup is created "
            "with its relationship."
        )
    schema_name = text_member(body, "SchemaName")
    column = Column(
        schema_name,
        kind,
        schema_name,
        custom=True,
        managed=False,
        identity=str(uuid.uuid4()),
        **_BLANK.get(kind, {}),
    )
    return read_over(body, column)


def read_over(body: Json, column: Column) -> Column:
    """`column` with what `body` says of it. Raises `WireError`."""
    level = text_member(object_member(body, "RequiredLevel"), "Value", column.required)
    if level not in REQUIRED_LEVELS:
        raise refusals.invalid(f"'{level}' is no requirement level.")
    common = replace(
        column,
        label=label_member(body, "DisplayName", column.label),
        description=label_member(body, "Description", column.description),
        required=level,
        secured=flag_member(body, "IsSecured", column.secured),
    )
    facets = _FACETS.get(column.kind)
    return common if facets is None else facets(body, common)


def _text(body: Json, column: Column) -> Column:
    length = _number(body, "MaxLength", column.max_length, 1, _MAX_LENGTH[column.kind])
    shown = text_member(body, "Format", column.format)
    shown = text_member(object_member(body, "FormatName"), "Value", shown)
    return replace(column, max_length=int(length), format=shown)


def _numeric(body: Json, column: Column) -> Column:
    low, high = _RANGES[column.kind]
    least = _number(body, "MinValue", column.minimum, low, high)
    most = _number(body, "MaxValue", column.maximum, low, high)
    if least > most:
        raise refusals.invalid(f"'MinValue' {least} is above 'MaxValue' {most}.")
    places = column.precision
    if column.kind in _MAX_PRECISION:
        places = int(_number(body, "Precision", places, 0, _MAX_PRECISION[column.kind]))
    shown = text_member(body, "Format", column.format)
    return replace(column, minimum=least, maximum=most, precision=places, format=shown)


def _boolean(body: Json, column: Column) -> Column:
    chosen = object_member(body, "OptionSet")
    options = {
        0: label_member(object_member(chosen, "FalseOption"), "Label", column.options[0]),
        1: label_member(object_member(chosen, "TrueOption"), "Label", column.options[1]),
    }
    default = 1 if flag_member(body, "DefaultValue", column.default == 1) else None
    return replace(column, options=options, default=default)


def _choice(body: Json, column: Column) -> Column:
    """Options are those of the body; of a global choice they are looked up by the caller."""
    chosen = object_member(body, "OptionSet")
    options = options_member(chosen) or column.options
    shared = column.option_set
    if flag_member(chosen, "IsGlobal", False):
        shared = text_member(chosen, "Name", shared).lower()
    default = _number(body, "DefaultFormValue", -1, *INT32)
    return replace(
        column,
        options=options,
        option_set=shared,
        default=None if default == -1 else int(default),
    )


def _moment(body: Json, column: Column) -> Column:
    shown = text_member(body, "Format", column.format or "DateAndTime")
    behavior = text_member(object_member(body, "DateTimeBehavior"), "Value", _behavior(column))
    if shown not in ("DateOnly", "DateAndTime") or behavior not in BEHAVIORS:
        raise refusals.invalid(f"'{shown}' with '{behavior}' is no form of a date.")
    if behavior == "DateOnly" and shown != "DateOnly":
        raise refusals.invalid("The behavior DateOnly needs the format DateOnly.")
    return replace(column, format=shown, behavior=behavior, date_only=behavior == "DateOnly")


def _behavior(column: Column) -> str:
    return "DateOnly" if column.date_only else column.behavior or "UserLocal"


_FACETS: dict[Kind, Callable[[Json, Column], Column]] = {
    Kind.STRING: _text,
    Kind.MEMO: _text,
    Kind.INTEGER: _numeric,
    Kind.DECIMAL: _numeric,
    Kind.DOUBLE: _numeric,
    Kind.MONEY: _numeric,
    Kind.BOOLEAN: _boolean,
    Kind.PICKLIST: _choice,
    Kind.MULTI_PICKLIST: _choice,
    Kind.DATETIME: _moment,
}


# ---------------------------------------------------------------------------- tables


def read_table(body: Json) -> tuple[Table, list[Json]]:
    """A new table with its primary name alone, and the bodies of its other columns.

    Raises `WireError`.
    """
    schema_name = text_member(body, "SchemaName")
    ownership = text_member(body, "OwnershipType")
    if ownership not in ("UserOwned", "OrganizationOwned"):
        raise refusals.invalid("'OwnershipType' must be UserOwned or OrganizationOwned.")
    if flag_member(body, "IsActivity", False):
        raise refusals.invalid("A table of activities cannot be created here.")
    others = list_member(body, "Attributes")
    names = [one for one in others if flag_member(one, "IsPrimaryName", False)]
    if len(names) != 1 or type_of(names[0]) != "StringAttributeMetadata":
        raise refusals.invalid(
            "A table needs exactly one StringAttributeMetadata with IsPrimaryName among its "
            "Attributes."
        )
    others.remove(names[0])
    title = label_member(body, "DisplayName", schema_name)
    primary = read_column(names[0])
    made = table(
        schema_name,
        text_member(body, "EntitySetName") or plural(schema_name.lower()),
        title,
        label_member(body, "DisplayCollectionName", title),
        primary.name,
        [primary],
        change_tracking=flag_member(body, "ChangeTrackingEnabled", False),
        user_owned=ownership == "UserOwned",
        managed=False,
    )
    return replace(_over(body, made), identity=str(uuid.uuid4())), others


def read_table_over(body: Json, before: Table) -> Table:
    """`before` with what `body` says of it. Raises `WireError`."""
    for name, now in (("LogicalName", before.name), ("SchemaName", before.schema_name)):
        if text_member(body, name, now) != now:
            raise refusals.invalid(f"'{name}' of {before.name} cannot be changed.")
    return _over(body, before)


def _over(body: Json, before: Table) -> Table:
    return replace(
        before,
        title=label_member(body, "DisplayName", before.title),
        titles=label_member(body, "DisplayCollectionName", before.titles),
        description=label_member(body, "Description", before.description),
        change_tracking=flag_member(body, "ChangeTrackingEnabled", before.change_tracking),
        has_notes=flag_member(body, "HasNotes", before.has_notes),
        has_activities=flag_member(body, "HasActivities", before.has_activities),
    )


def plural(name: str) -> str:
    """The entity set name the service makes of a logical name."""
    if name.endswith("y") and name[-2:-1] not in ("a", "e", "i", "o", "u"):
        return f"{name[:-1]}ies"
    if name.endswith(("s", "x", "z", "ch", "sh")):
        return f"{name}es"
    return f"{name}s"
