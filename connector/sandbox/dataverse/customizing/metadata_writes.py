"""Requests that change definitions: from path and body to the change and its answer.

Owns: POST, PUT and DELETE below EntityDefinitions, RelationshipDefinitions and
GlobalOptionSetDefinitions; the metadata actions; the solution header.
Never does: the changes themselves (`table_changes.py`, `key_indexes.py`, `relating.py`,
`choices.py`).
Tested in: tests/integration/sandbox/test_metadata_writes.py, test_sdk_tables.py.

Facts: "Dataverse Web API: use-web-api-metadata": definitions change by PUT of the whole, never
by PATCH; a create answers 204 with `OData-EntityId`. What a publish changes is visible at
once here, so publishing only answers. What CreateEntities answers is not documented; 204 is
what its one known client takes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar
from urllib.parse import parse_qs

from connector.odata.paths import Segment
from connector.sandbox.dataverse import errors
from connector.sandbox.dataverse.customizing.choices import Choices
from connector.sandbox.dataverse.customizing.key_indexes import KeyIndexes
from connector.sandbox.dataverse.customizing.relating import Relating
from connector.sandbox.dataverse.customizing.solutions import Solutions
from connector.sandbox.dataverse.customizing.table_changes import Customizing
from connector.sandbox.dataverse.definitions import metadata_errors as refusals
from connector.sandbox.dataverse.definitions.catalog import (
    column_id,
    key_id,
    option_set_id,
    table_id,
)
from connector.sandbox.dataverse.definitions.declarations import list_member
from connector.sandbox.dataverse.definitions.metadata_json import TYPE_PREFIX, Json
from connector.sandbox.dataverse.definitions.tables import Table
from connector.sandbox.dataverse.messages import Request, json_response, no_content
from connector.sandbox.dataverse.standard.seed import Identities
from connector.sandbox.dataverse.writing.records import Records
from connector.sandbox.messages import Response

ENTITIES, RELATIONSHIPS = "EntityDefinitions", "RelationshipDefinitions"
OPTION_SETS = "GlobalOptionSetDefinitions"
SOLUTION_HEADER = "mscrm.solutionuniquename"
One = TypeVar("One")


class MetadataWrites:
    """Changes of the definitions of one organization."""

    def __init__(self, records: Records, identities: Identities, indexes: KeyIndexes) -> None:
        self._catalog = records.catalog
        self._storage = records.storage
        self._choices = Choices(records.storage)
        self._tables = Customizing(records, identities, self._choices)
        self._indexes = indexes
        self._relating = Relating(records.storage, self._tables)
        self._solutions = Solutions(records, self._tables, indexes, self._relating, self._choices)
        self._actions: dict[str, Callable[[Request], Response]] = {
            "CreateEntities": self._create_entities,
            "PublishXml": self._publish,
            "PublishAllXml": self._publish,
            "InsertOptionValue": self._insert_option,
            "UpdateOptionValue": self._with_body(self._choices.rename),
            "DeleteOptionValue": self._with_body(self._choices.remove),
            "ReactivateEntityKey": self._with_body(self._indexes.retry),
            "ImportSolution": self._import,
        }
        self.actions = frozenset(self._actions)
        """The names of the unbound actions that are handled here."""

    def act(self, name: str, request: Request) -> Response:
        """`POST <action>`. Raises `WireError`."""
        if request.method != "POST":
            raise errors.no_such_resource(f"{request.base}/{request.path}")
        self._check_solution(request)
        with self._storage.savepoint():
            return self._actions[name](request)

    def handle(self, first: Segment, rest: Sequence[Segment], request: Request) -> Response:
        """A request that is no GET to one of the definition sets. Raises `WireError`."""
        self._check_solution(request)
        if request.method == "PATCH":
            raise errors.not_supported(f"PATCH on '{first.name}'")
        with self._storage.savepoint():
            return self._change(first, rest, request)

    def _change(self, first: Segment, rest: Sequence[Segment], request: Request) -> Response:
        if first.name == RELATIONSHIPS and not rest:
            return self._relationship(first, request)
        if first.name == OPTION_SETS and not rest:
            return self._option_set(first, request)
        if first.name != ENTITIES:
            raise errors.not_supported(f"{request.method} below '{first.name}'")
        if not rest:
            return self._entity(first, request)
        table = self._table(first)
        if rest[0].name == "Attributes":
            return self._attribute(table, rest[0], request)
        if rest[0].name == "Keys":
            return self._key(table, rest[0], request)
        raise errors.not_supported(f"{request.method} on '{rest[0].name}'")

    def _check_solution(self, request: Request) -> None:
        named = parse_qs(request.query).get("SolutionUniqueName", [""])[0]
        self._tables.check_solution(request.headers.get(SOLUTION_HEADER, "") or named)

    # ------------------------------------------------------------------------ tables

    def _table(self, segment: Segment) -> Table:
        return _chosen("entity", self._catalog.by_name.values(), segment, _table_names)

    def _entity(self, segment: Segment, request: Request) -> Response:
        if request.method == "POST" and not _keyed(segment):
            table = self._tables.create_table(request.json_object(), request.user)
            return _created(request, table_id(table))
        table = self._table(segment)
        if request.method == "PUT":
            self._tables.change_table(table, request.json_object())
        elif request.method == "DELETE":
            self._tables.drop_table(table, request.user)
        else:
            raise errors.not_supported(f"{request.method} on a definition")
        return no_content()

    def _attribute(self, table: Table, segment: Segment, request: Request) -> Response:
        if request.method == "POST" and not _keyed(segment):
            column = self._tables.add_column(table, request.json_object())
            return _created(request, column_id(table, column))
        column = _chosen(
            "attribute",
            table.columns.values(),
            segment,
            lambda one: (column_id(table, one), one.name, one.schema_name),
        )
        if request.method == "PUT":
            self._tables.change_column(table, column, request.json_object())
        elif request.method == "DELETE":
            self._tables.drop_column(table, column)
        else:
            raise errors.not_supported(f"{request.method} on an attribute")
        return no_content()

    def _key(self, table: Table, segment: Segment, request: Request) -> Response:
        if request.method == "POST" and not _keyed(segment):
            body = request.json_object()
            self._tables.check_name("entitykey", str(body.get("SchemaName")))
            key = self._indexes.add(table, body)
            return _created(request, key_id(table, key))
        key = _chosen(
            "entitykey",
            table.keys,
            segment,
            lambda one: (key_id(table, one), one.name, one.schema_name),
        )
        if request.method != "DELETE":
            raise errors.not_supported(f"{request.method} on a key")
        self._indexes.drop(table, key)
        return no_content()

    # ------------------------------------------------------------------------ the other sets

    def _relationship(self, segment: Segment, request: Request) -> Response:
        if request.method == "POST" and not _keyed(segment):
            return _created(request, self._relating.create(request.json_object()))
        if request.method != "DELETE" or segment.guid is None:
            raise errors.not_supported(f"{request.method} on a relationship")
        self._relating.drop(str(segment.guid))
        return no_content()

    def _option_set(self, segment: Segment, request: Request) -> Response:
        if request.method == "POST" and not _keyed(segment):
            body = request.json_object()
            self._tables.check_name("optionset", str(body.get("Name")))
            made = self._choices.create(body)
            return _created(request, option_set_id(made.name))
        chosen = _chosen(
            "optionset",
            self._catalog.contents.option_sets.values(),
            segment,
            lambda one: (option_set_id(one.name), one.name, one.name),
            name="Name",
        )
        if request.method != "DELETE":
            raise errors.not_supported(f"{request.method} on a global option set")
        self._choices.drop(chosen)
        return no_content()

    # ------------------------------------------------------------------------ actions

    def _create_entities(self, request: Request) -> Response:
        for body in list_member(request.json_object(), "Entities"):
            self._tables.create_table(body, request.user)
        return no_content()

    def _publish(self, _request: Request) -> Response:
        return no_content()

    def _import(self, request: Request) -> Response:
        self._solutions.bring_in(request.json_object(), request.user)
        return no_content()

    def _insert_option(self, request: Request) -> Response:
        value = self._choices.insert(request.json_object())
        mark = f"{request.base}/$metadata#{TYPE_PREFIX}InsertOptionValueResponse"
        return json_response({"@odata.context": mark, "NewOptionValue": value})

    def _with_body(self, change: Callable[[Json], None]) -> Callable[[Request], Response]:
        def act(request: Request) -> Response:
            change(request.json_object())
            return no_content()

        return act


def _keyed(segment: Segment) -> bool:
    return segment.guid is not None or segment.keys is not None


def _created(request: Request, identity: str) -> Response:
    """204 with the path of the request and the new MetadataId, for `$1` of a batch too."""
    url = f"{request.base}/{request.path.rstrip('/')}({identity})"
    response = no_content({"OData-EntityId": url})
    response.record = url
    return response


def _table_names(table: Table) -> tuple[str, str, str]:
    return table_id(table), table.name, table.schema_name


def _chosen(
    what: str,
    listed: Iterable[One],
    segment: Segment,
    names: Callable[[One], tuple[str, str, str]],
    name: str = "LogicalName",
) -> One:
    """The one a segment means, by MetadataId, logical or schema name. Raises `WireError`."""
    wanted: dict[str, Any] = (
        {"MetadataId": str(segment.guid)} if segment.guid else dict(segment.keys or {})
    )
    members = ("MetadataId", name, "SchemaName")
    for one in listed if wanted else ():
        known = dict(zip(members, names(one), strict=True))
        if all(known.get(member) == value for member, value in wanted.items()):
            return one
    spelled = ", ".join(f"{member} = {value}" for member, value in wanted.items())
    raise refusals.not_found(what, spelled or "no key")
