"""`RetrieveMetadataChanges`: definitions picked by a query in JSON.

Owns: the EntityQueryExpression with its criteria and property lists, for tables and columns.
Never does: differences since a version stamp; every answer is whole.
Tested in: tests/integration/sandbox/test_metadata.py, test_real_clients.py.

Facts: "Dataverse Web API: cache-schema-data" and the EntityQueryExpression complex type.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, unquote

import orjson

from connector.sandbox import errors
from connector.sandbox.definitions import Json

NAME = "RetrieveMetadataChanges"
_CALL = re.compile(rf"{NAME}\(Query=(@\w+|\{{.*\}})\)")


def metadata_changes(definitions: Mapping[str, Json], path: str, query: str) -> Json:
    """The members of the answer. Raises `WireError` for a call that cannot be read."""
    call = _CALL.fullmatch(unquote(path))
    try:
        if call is None:
            raise ValueError("the parameter Query is missing")
        text = call[1]
        if text.startswith("@"):
            text = parse_qs(query)[text][0]
        expression = orjson.loads(text)
        found = [_table(one, expression) for one in _pick(list(definitions.values()), expression)]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise errors.bad_request(f"Invalid metadata query: {error}", "0x80040203") from error
    return {"ServerVersionStamp": "1!", "DeletedMetadata": None, "EntityMetadata": found}


def _table(definition: Json, expression: Json) -> Json:
    shaped = _shape(definition, expression)
    if "Attributes" in shaped and (columns := expression.get("AttributeQuery")):
        picked = _pick(definition["Attributes"], columns)
        shaped["Attributes"] = [_shape(one, columns) for one in picked]
    return shaped


def _pick(items: list[Json], expression: Json) -> list[Json]:
    """The items that fit the expression's criteria."""
    criteria = expression.get("Criteria") or {}
    tests = criteria.get("Conditions") or []
    every = criteria.get("FilterOperator", "And") == "And"
    return [item for item in items if (all if every else any)(_fits(item, t) for t in tests)]


def _fits(item: Json, condition: Json) -> bool:
    name, operator = condition["PropertyName"], condition["ConditionOperator"]
    wanted = condition["Value"]["Value"]
    actual: Any = item.get(name)
    if operator in ("Equals", "NotEquals"):
        return (str(actual) == str(wanted)) is (operator == "Equals")
    if operator in ("In", "NotIn"):
        return (str(actual) in wanted) is (operator == "In")
    raise ValueError(f"the operator {operator} is not supported")


def _shape(item: Json, expression: Json) -> Json:
    """The properties asked for, and the ones that always come."""
    properties = expression.get("Properties") or {"AllProperties": True}
    if properties.get("AllProperties"):
        return dict(item)
    names = ["@odata.type", "MetadataId", "LogicalName", *(properties["PropertyNames"] or ())]
    return {name: item[name] for name in names if name in item}
