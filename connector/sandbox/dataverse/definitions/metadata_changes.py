"""`RetrieveMetadataChanges`: definitions picked by a query in JSON, whole or since a stamp.

Owns: the call, the EntityQueryExpression with its criteria and property lists, version stamps.
Never does: building definitions (`metadata_json.py`), remembering changes (`archive.py`).
Tested in: tests/integration/sandbox/test_metadata_changes.py, test_sdk_tables.py.

Facts: "Dataverse Web API: cache-schema-data", "query-schema-definitions" (stamps are
`<version>!<time>`, attribute types are named `Complex…`, an unknown stamp is 0x80044352). A
changed table comes whole. How deleted tables are listed is not documented; they stand under
the key `Entity`, which is what the .NET collection would give.
"""

from __future__ import annotations

import re
import sqlite3
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, unquote

import orjson

from connector.sandbox.dataverse import errors
from connector.sandbox.dataverse.definitions import archive
from connector.sandbox.dataverse.definitions.metadata_json import TYPE_PREFIX, Json

NAME = "RetrieveMetadataChanges"
_CALL = re.compile(rf"{NAME}\((.*)\)", re.DOTALL)
_ARGUMENT = re.compile(
    r"(Query|ClientVersionStamp|DeletedMetadataFilters)="
    r"(@\w+|\{.*?\}(?=,\w+=|$)|(?:[\w.]+)?'(?:[^']|'')*')(?:,|$)",
    re.DOTALL,
)
_STAMP = re.compile(r"'(\d+)!.{19}'")
_TIME = "%m/%d/%Y %H:%M:%S"


def metadata_changes(
    connection: sqlite3.Connection,
    definitions: Mapping[str, Json],
    version: int,
    path: str,
    query: str,
) -> Json:
    """The members of the answer; `version` is the newest one. Raises `WireError`."""
    try:
        arguments = _arguments(path, query)
        expression = orjson.loads(arguments["Query"])
        since = _since(connection, arguments.get("ClientVersionStamp"), version)
        changed = archive.changed_tables(connection, since)
        tables = [one for name, one in definitions.items() if name in changed]
        found = [_table(one, expression, since >= 0) for one in _pick(tables, expression)]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise errors.bad_request(f"Invalid metadata query: {error}", "0x80040203") from error
    removed = archive.removed_tables(connection, since) if since >= 0 else []
    if "DeletedMetadataFilters" not in arguments:
        removed = []
    return {
        "ServerVersionStamp": f"{version}!{time.strftime(_TIME, time.gmtime())}",
        "DeletedMetadata": {
            "Count": len(removed),
            "IsReadOnly": False,
            "Keys": ["Entity"] if removed else [],
            "Values": [removed] if removed else [],
        },
        "EntityMetadata": found,
    }


def _arguments(path: str, query: str) -> dict[str, str]:
    """The arguments of the call by name, aliases resolved. Raises `ValueError`."""
    call = _CALL.fullmatch(unquote(path))
    if call is None:
        raise ValueError("it is not a call with parameters")
    aliases = {name: values[0] for name, values in parse_qs(query).items()}
    found = {m[1]: aliases.get(m[2], m[2]) for m in _ARGUMENT.finditer(call[1])}
    if "Query" not in found:
        raise ValueError("the parameter Query is missing")
    return found


def _since(connection: sqlite3.Connection, stamp: str | None, version: int) -> int:
    """The version a stamp stands for, -1 without one. Raises `WireError` for an unknown one."""
    if stamp is None:
        return -1
    match = _STAMP.fullmatch(stamp)
    if match is None:
        raise ValueError(f"'{stamp}' is no version stamp")
    if not archive.oldest_version(connection) <= int(match[1]) <= version:
        raise errors.token_expired()
    return int(match[1])


def _table(definition: Json, expression: Json, changed: bool) -> Json:
    shaped = {**_shape(definition, expression), "HasChanged": changed or None}
    if "Attributes" in shaped:
        columns = expression.get("AttributeQuery") or {}
        picked = _pick(definition["Attributes"], columns)
        shaped["Attributes"] = [_attribute(one, columns) for one in picked]
    return shaped


def _attribute(definition: Json, expression: Json) -> Json:
    shaped = {**_shape(definition, expression), "HasChanged": None}
    kind = definition["@odata.type"].removeprefix(f"#{TYPE_PREFIX}")
    return {**shaped, "@odata.type": f"#{TYPE_PREFIX}Complex{kind}"}


def _pick(items: list[Json], expression: Json) -> list[Json]:
    """The items that fit the expression's criteria."""
    criteria = expression.get("Criteria") or {}
    return [item for item in items if _fits_all(item, criteria)]


def _fits_all(item: Json, criteria: Json) -> bool:
    """Conditions, and filters inside the filter, joined by And or Or."""
    tests = [_fits(item, one) for one in criteria.get("Conditions") or ()]
    tests += [_fits_all(item, one) for one in criteria.get("Filters") or ()]
    every = criteria.get("FilterOperator", "And") == "And"
    return all(tests) if every else any(tests) or not tests


def _fits(item: Json, condition: Json) -> bool:
    name, operator = condition["PropertyName"], condition["ConditionOperator"]
    wanted = condition["Value"]["Value"]
    actual: Any = item.get(name)
    if isinstance(actual, dict) and "Value" in actual:
        actual = actual["Value"]  # a managed property
    if operator in ("Equals", "NotEquals"):
        return (_text(actual) == _text(wanted)) is (operator == "Equals")
    if operator in ("In", "NotIn"):
        listed = orjson.loads(wanted) if isinstance(wanted, str) else wanted
        return (_text(actual) in map(_text, listed)) is (operator == "In")
    raise ValueError(f"the operator {operator} is not supported")


def _text(value: object) -> str:
    """Values are written as text; of a boolean the case does not count."""
    text = str(value)
    return text.lower() if text.lower() in ("true", "false") else text


def _shape(item: Json, expression: Json) -> Json:
    """The properties asked for, and the ones that always come."""
    properties = expression.get("Properties") or {"AllProperties": True}
    if properties.get("AllProperties"):
        return dict(item)
    names = ["@odata.type", "MetadataId", "LogicalName", *(properties["PropertyNames"] or ())]
    return {name: item[name] for name in names if name in item}
