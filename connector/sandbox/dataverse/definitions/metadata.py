"""The metadata API read: EntityDefinitions and the other sets, `$metadata`, service document.

Owns: paths, casts, keys and query options over definitions.
Never does: building the definitions (`metadata_json.py`) or the CSDL (`schema.py`); changing them
(`customizing/metadata_writes.py`).
Tested in: tests/integration/sandbox/test_metadata.py.

Facts: "Dataverse Web API: webapi/query-metadata-web-api". Metadata queries are not paged; a
collection without a cast shows only what every attribute type has.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from operator import eq, ge, gt, le, lt, ne
from typing import Any

from odata_query import ast

from connector.odata.paths import Segment
from connector.sandbox.dataverse import errors
from connector.sandbox.dataverse.customizing.metadata_writes import OPTION_SETS, RELATIONSHIPS
from connector.sandbox.dataverse.definitions.catalog import Contents
from connector.sandbox.dataverse.definitions.metadata_changes import metadata_changes
from connector.sandbox.dataverse.definitions.metadata_json import (
    ATTRIBUTE_TYPES,
    MANY_TO_MANY,
    NAVIGATIONS,
    ONE_TO_MANY,
    TYPE_PREFIX,
    Json,
    definitions,
    global_option_set,
    relationships,
)
from connector.sandbox.dataverse.definitions.schema import document
from connector.sandbox.dataverse.messages import Request, json_response, no_content
from connector.sandbox.dataverse.reading.options import Options, listed, parse_options
from connector.sandbox.dataverse.storage import Storage
from connector.sandbox.messages import Response

_COMPARE: dict[type[ast._Node], Callable[[Any, Any], bool]] = {
    ast.Eq: eq,
    ast.NotEq: ne,
    ast.Gt: gt,
    ast.GtE: ge,
    ast.Lt: lt,
    ast.LtE: le,
}
_TEXT: dict[str, Callable[[str, str], bool]] = {
    "contains": str.__contains__,
    "startswith": str.startswith,
    "endswith": str.endswith,
}


_ENUMERATION = re.compile(r"Microsoft\.Dynamics\.CRM\.\w+(?='|%27)")
_WHATS = {RELATIONSHIPS: "entityrelationship", OPTION_SETS: "optionset"}
_CASTS = ATTRIBUTE_TYPES | {ONE_TO_MANY, MANY_TO_MANY}


class Metadata:
    """Reads of the definitions of one organization."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._catalog = storage.catalog
        self._shown: tuple[Contents, dict[str, Json]] | None = None

    @property
    def _definitions(self) -> dict[str, Json]:
        """The definitions as they stand, built again whenever they have changed."""
        if self._shown is None or self._shown[0] is not self._catalog.contents:
            self._shown = (self._catalog.contents, definitions(self._catalog))
        return self._shown[1]

    def service_document(self, request: Request) -> Response:
        """`GET /`: the names of all sets."""
        sets = [{"name": name, "kind": "EntitySet", "url": name} for name in self._catalog.by_set]
        return json_response({"@odata.context": f"{request.base}/$metadata", "value": sets})

    def changes(self, request: Request) -> Response:
        """`RetrieveMetadataChanges(Query=…)`. Raises `WireError`."""
        found = metadata_changes(
            self._storage.connection,
            self._definitions,
            self._storage.version,
            request.path,
            request.query,
        )
        mark = f"{request.base}/$metadata#{TYPE_PREFIX}RetrieveMetadataChangesResponse"
        return json_response({"@odata.context": mark, **found})

    def get(self, first: Segment, rest: Sequence[Segment], request: Request) -> Response:
        """The definition sets and `$metadata`. Raises `WireError`."""
        if first.name == "$metadata":
            body = document(self._catalog, annotations="annotations=true" in request.query)
            headers = {"Content-Type": "application/xml", "OData-Version": "4.0"}
            return Response(200, headers, body)
        # An enumeration literal reads as its text: Microsoft.Dynamics.CRM.X'String'.
        options = parse_options(_ENUMERATION.sub("", request.query))
        if first.name == OPTION_SETS and options.filter is not None:
            raise errors.not_supported(f"$filter on '{first.name}'")
        mark = f"{request.base}/$metadata#{first.name}"
        value = _pick(self._set(first.name), first, _WHATS.get(first.name, "entity"))
        cast = ""
        for segment in rest:
            mark += f"/{segment.name}"
            if segment.name.startswith(TYPE_PREFIX):
                cast = segment.name.removeprefix(TYPE_PREFIX)
                value = _cast(value, cast)
            elif isinstance(value, dict) and segment.name in value:
                value = _pick(value[segment.name], segment, segment.name)
            else:
                raise errors.unknown_segment(segment.name)
        return _answer(value, mark, options, typed=bool(cast))

    def _set(self, name: str) -> list[Json]:
        """All definitions of one set."""
        if name == RELATIONSHIPS:
            return relationships(self._catalog)
        if name == OPTION_SETS:
            return [global_option_set(one) for one in self._catalog.contents.option_sets.values()]
        return list(self._definitions.values())


def _pick(value: Any, segment: Segment, what: str) -> Any:
    """One of a list by id, LogicalName or SchemaName, where the segment has a key."""
    if segment.guid is None and segment.keys is None:
        return value
    wanted = {"MetadataId": str(segment.guid)} if segment.guid else dict(segment.keys or {})
    if not isinstance(value, list) or not wanted:
        raise errors.unknown_segment(segment.name)
    for one in value:
        if all(one.get(name) == key for name, key in wanted.items()):
            return one
    raise errors.WireError(404, "0x80040217", f"Could not find an {what} with {_spelled(wanted)}.")


def _spelled(wanted: dict[str, Any]) -> str:
    return ", ".join(f"{name} = {value}" for name, value in wanted.items())


def _cast(value: Any, cast: str) -> Any:
    kind = f"#{TYPE_PREFIX}{cast}"
    if isinstance(value, list) and cast in _CASTS:
        return [one for one in value if one["@odata.type"] == kind]
    if isinstance(value, dict) and value.get("@odata.type") == kind:
        return value
    raise errors.unknown_segment(TYPE_PREFIX + cast)


def _answer(value: Any, mark: str, options: Options, *, typed: bool) -> Response:
    mark += listed(options)
    if isinstance(value, list) and all(isinstance(one, dict) for one in value):
        common = None if typed else _common(value)
        found = [one for one in value if options.filter is None or _holds(options.filter, one)]
        for path, down in reversed(options.order):
            found.sort(key=lambda one: str(_member(one, path.split("/"))), reverse=down)
        body: Json = {"@odata.context": mark}
        if options.count:
            body["@odata.count"] = len(found)
        shown = found[: options.top]
        return json_response({**body, "value": [_shape(one, options, common) for one in shown]})
    if isinstance(value, dict) and "MetadataId" in value:
        return json_response({"@odata.context": f"{mark}/$entity", **_shape(value, options, None)})
    if value is None:
        return no_content()
    return json_response({"@odata.context": mark, "value": value})


def _common(values: Iterable[Json]) -> frozenset[str] | None:
    """Members every item has: what `$select` may name where types are mixed."""
    sets = [frozenset(one) for one in values]
    return frozenset.intersection(*sets) if sets else None


def _shape(item: Json, options: Options, common: frozenset[str] | None) -> Json:
    """`$select` and `$expand` of one definition. Raises `WireError` for an unknown member."""
    known = frozenset(item) if common is None else common
    expanded = {expand.navigation: expand.options for expand in options.expand}
    for name in (*(options.select or ()), *expanded):
        if name not in known:
            kind = item.get("@odata.type", f"#{TYPE_PREFIX}EntityMetadata")
            raise errors.unknown_property(name, kind.rpartition(".")[2])
    if options.select is None:
        shaped = {name: value for name, value in item.items() if name not in NAVIGATIONS}
    else:
        always = [name for name in ("@odata.type", "MetadataId") if name in item]
        shaped = {name: item[name] for name in (*always, *options.select)}
    for name, inner in expanded.items():
        value = item[name]
        if isinstance(value, list):
            kept = (one for one in value if inner.filter is None or _holds(inner.filter, one))
            shaped[name] = [_shape(one, inner, None) for one in kept]
        else:
            shaped[name] = None if value is None else _shape(value, inner, None)
    return shaped


# ---------------------------------------------------------------------------- filters


def _holds(node: ast._Node, item: Json) -> bool:
    """Whether a definition fits a filter. Raises `WireError` for what is not supported."""
    if isinstance(node, ast.BoolOp):
        both = isinstance(node.op, ast.And)
        return (all if both else any)(_holds(part, item) for part in (node.left, node.right))
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        return not _holds(node.operand, item)
    if isinstance(node, ast.Compare):
        left, right = _value(node.left, item), _value(node.right, item)
        if isinstance(node.comparator, ast.In):
            return left in right
        try:
            return _COMPARE[type(node.comparator)](left, right)
        except TypeError:
            return False
    if isinstance(node, ast.Call) and (test := _TEXT.get(node.func.name)):
        return test(str(_value(node.args[0], item)), str(_value(node.args[1], item)))
    if isinstance(node, ast.Identifier | ast.Attribute):
        return _value(node, item) is True
    raise errors.bad_request("The filter is not supported on metadata.", "0x0")


def _value(node: ast._Node, item: Json) -> Any:
    if isinstance(node, ast.List):
        return [_value(one, item) for one in node.val]
    if isinstance(node, ast.GUID):
        return str(node.val).lower()
    if isinstance(node, ast._Literal):
        return node.py_val
    return _member(item, _path(node))


def _path(node: ast._Node) -> list[str]:
    if isinstance(node, ast.Attribute):
        return [*_path(node.owner), node.attr]
    if isinstance(node, ast.Identifier):
        return [node.name]
    raise errors.bad_request("The filter is not supported on metadata.", "0x0")


def _member(item: Json, path: Sequence[str]) -> Any:
    value: Any = item
    for name in path:
        if not isinstance(value, dict) or name not in value:
            kind = item.get("@odata.type", f"#{TYPE_PREFIX}EntityMetadata")
            raise errors.unknown_property(name, kind.rpartition(".")[2])
        value = value[name]
    return value
