"""The organization service: from a request to its answer.

Owns: which resource a path means, transactions, turning refusals into answers.
Never does: sockets, tokens (`app.py`, `identity/tokens.py`).
Tested in: tests/integration/sandbox/test_records.py, test_errors.py.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from connector.odata.malformed import MalformedError
from connector.odata.paths import Segment, parse_segment, split_path
from connector.sandbox.courier import Courier
from connector.sandbox.dataverse import errors
from connector.sandbox.dataverse.batch import run_batch
from connector.sandbox.dataverse.customizing.key_indexes import KeyIndexes
from connector.sandbox.dataverse.customizing.metadata_writes import (
    ENTITIES,
    OPTION_SETS,
    RELATIONSHIPS,
    MetadataWrites,
)
from connector.sandbox.dataverse.definitions.metadata import Metadata
from connector.sandbox.dataverse.definitions.metadata_changes import NAME as METADATA_CHANGES
from connector.sandbox.dataverse.definitions.tables import Table
from connector.sandbox.dataverse.messages import Request, error_response, json_response
from connector.sandbox.dataverse.reading.options import parse_options
from connector.sandbox.dataverse.reading.queries import Queries
from connector.sandbox.dataverse.reading.related import Related
from connector.sandbox.dataverse.reading.selections import Selections
from connector.sandbox.dataverse.reading.tracking import Tracking
from connector.sandbox.dataverse.rights.memberships import Memberships
from connector.sandbox.dataverse.rights.privileges import definition_privilege
from connector.sandbox.dataverse.standard.seed import Identities, Member, first_tables, seed
from connector.sandbox.dataverse.storage import Storage
from connector.sandbox.dataverse.webhooks.registrations import Webhooks
from connector.sandbox.dataverse.writing.bulk import PREFIX, Bulk
from connector.sandbox.dataverse.writing.bulk_delete import NAME as BULK_DELETE
from connector.sandbox.dataverse.writing.bulk_delete import BulkDelete
from connector.sandbox.dataverse.writing.plugins import parse_loss
from connector.sandbox.dataverse.writing.records import Records
from connector.sandbox.dataverse.writing.resources import Resources
from connector.sandbox.dataverse.zones import USER_SETTINGS, check_settings
from connector.sandbox.messages import Response

SERVICE_VERSION = "9.2.25000.00000"


class Service:
    """One organization, open in one folder."""

    def __init__(
        self,
        folder: Path,
        members: tuple[Member, ...],
        courier: Courier | None = None,
        *,
        empty: bool = False,
    ) -> None:
        self.storage = Storage(folder, first_tables, empty=empty)
        self._catalog = self.storage.catalog
        self.identities = Identities(self.storage.organization)
        self._members = members
        self._records = Records(self.storage, self.identities.business_unit)
        self._queries = Queries(self._records)
        self._selections = Selections(self._records, self._queries)
        self._tracking = Tracking(self._records, self._queries)
        self._resources = Resources(self._records, self._queries)
        self._related = Related(self._records, self._queries)
        self._bulk = Bulk(self._records)
        self._bulk_delete = BulkDelete(self._records, self._selections)
        self._privileges = self._records.privileges
        self._memberships = Memberships(self._records, self._queries, self.identities)
        self._metadata = Metadata(self.storage)
        self._indexes = KeyIndexes(self.storage)
        self._definitions = MetadataWrites(self._records, self.identities, self._indexes)
        if self._records.version(self._catalog.by_name["organization"], self._organization) is None:
            with self.storage.transaction():
                seed(self._records, self.identities, members)
        self.courier = courier or Courier()
        self._webhooks = Webhooks(self._records, self.identities, self.courier)
        self._webhooks.load()
        settings = self._catalog.by_name[USER_SETTINGS.name]
        self._records.reader(settings).rules.append(check_settings)

    @property
    def _organization(self) -> str:
        return self.identities.organization

    def user_of(self, client_id: str) -> str | None:
        """The user id of an application, or None if it is not a member of the organization."""
        known = any(member.client_id == client_id for member in self._members)
        return self.identities.user(client_id) if known else None

    def run(self, request: Request) -> Response:
        """The answer to one request; what it writes is committed or nothing is."""
        try:
            if self._indexes.due():
                with self.storage.transaction():
                    self._indexes.advance()
            with self._privileges.acting(request.user):
                if request.method == "GET":
                    return self._handle(request)
                with self.storage.transaction():
                    response = self._handle(request)
        except errors.WireError as error:
            return error_response(error, request.headers)
        except RecursionError:
            return error_response(errors.too_many_conditions(), request.headers)
        happened = self.storage.happenings.take()
        if happened:
            self._webhooks.tell(happened, request)
        return response

    # ------------------------------------------------------------------------ switches

    def expire_delta_tokens(self) -> None:
        """Every delta token given out so far has expired."""
        with self.storage.transaction():
            self._tracking.expire()

    def reset(self) -> None:
        """Empty the organization and write its first rows again; delta tokens expire."""
        with self.storage.transaction():
            self.storage.clear()
            seed(self._records, self.identities, self._members)
            self._tracking.expire()
        self.storage.happenings.undo()
        self._webhooks.load()

    def lose(self, value: dict[str, Any]) -> None:
        """Make a column keep less than it is sent; see `plugins.parse_loss`.

        Raises `KeyError` for a table or column that does not exist.
        """
        table = self._catalog.by_name[value["table"]]
        column = table.columns[value["column"]]
        self._records.reader(table).lose(column.name, parse_loss(column, value))

    def secure(self, table: str, column: str, secured: bool) -> None:
        """Put a column under column security, or take it out. Raises `KeyError`."""
        now = self._catalog.by_name[table]
        changed = replace(now.columns[column], secured=secured)
        with self.storage.transaction():
            self.storage.define(replace(now, columns={**now.columns, column: changed}))

    def change_roles(self, value: dict[str, Any]) -> None:
        """Make, change or assign roles; see `Memberships.change`."""
        users = {one.short: self.identities.user(one.client_id) for one in self._members}
        with self.storage.transaction():
            self._memberships.change(value, users)

    def keep_everything(self) -> None:
        """Undo every `lose`."""
        for table in self._catalog.by_name.values():
            for column in table.columns:
                self._records.reader(table).lose(column, None)

    def close(self) -> None:
        """Release the folder."""
        self.storage.close()

    # ------------------------------------------------------------------------ paths

    def _handle(self, request: Request) -> Response:
        if request.path.startswith(METADATA_CHANGES) and request.method == "GET":
            return self._metadata.changes(request)
        try:
            segments = [parse_segment(one) for one in split_path(request.path)]
        except (MalformedError, UnicodeDecodeError) as error:
            raise errors.bad_request(f"The request URI is not valid: {error}", "0x0") from error
        if not segments:
            return self._metadata.service_document(request)
        first, *rest = segments
        if first.name != "WhoAmI":
            self._privileges.need_role()
        table = self._catalog.by_set.get(first.name)
        if table is not None:
            return self._table(table, first, rest, request)
        if first.name == "$batch" and request.method == "POST" and not rest:
            return run_batch(request, self._handle, self.storage)
        if first.name in _DEFINITIONS:
            if request.method == "GET":
                return self._metadata.get(first, rest, request)
            self._need_definitions(first, rest, request)
            return self._definitions.handle(first, rest, request)
        return self._unbound(first, rest, request)

    def _unbound(self, first: Segment, rest: list[Segment], request: Request) -> Response:
        """An action or function that belongs to no table."""
        name = first.name
        if name in self._definitions.actions and not rest:
            self._need_definitions(first, rest, request)
            return self._definitions.act(name, request)
        if name == BULK_DELETE and request.method == "POST" and not rest:
            return self._bulk_delete.run(request)
        if name in _FUNCTIONS:
            return self._function(name, request)
        raise errors.unknown_segment(name)

    def _need_definitions(self, first: Segment, rest: list[Segment], request: Request) -> None:
        names = [segment.name for segment in (first, *rest)]
        self._privileges.need_system(definition_privilege(request.method, names))

    def _table(
        self, table: Table, first: Segment, rest: list[Segment], request: Request
    ) -> Response:
        if request.method == "GET":
            self._privileges.need("Read", table)
        if first.guid is not None or first.keys is not None:
            handle = self._below if rest else self._record
            return handle(table, first, rest, request)
        if rest and rest[0].name.startswith(PREFIX):
            return self._bulk.run(table, rest[0].name.removeprefix(PREFIX), request)
        if rest and (len(rest) > 1 or rest[0].name != "$count"):
            raise errors.unknown_segment(rest[0].name)
        if request.method == "POST" and not rest:
            return self._resources.create(table, request)
        if request.method != "GET":
            raise errors.not_supported(f"{request.method} on a collection")
        return self._collection(table, bool(rest), request)

    def _record(
        self, table: Table, segment: Segment, _rest: list[Segment], request: Request
    ) -> Response:
        """`set(key)`."""
        if request.method == "GET":
            return self._resources.read(table, segment, request)
        if request.method == "PATCH":
            return self._resources.patch(table, segment, request)
        if request.method == "DELETE":
            return self._resources.delete(table, segment, request)
        raise errors.not_supported(f"{request.method} on a record")

    def _below(
        self, table: Table, segment: Segment, rest: list[Segment], request: Request
    ) -> Response:
        """`set(key)/…`."""
        for several in (self._memberships, self._related):
            if several.covers(table, rest[0].name):
                record = self._resources.existing(table, segment)
                return several.handle(table, record, rest, request)
        return self._resources.property(table, segment, rest, request)

    def _collection(self, table: Table, count: bool, request: Request) -> Response:
        selected = None if count else self._selections.page(table, request)
        if selected is not None:
            return selected
        options = parse_options(request.query)
        if count and options.delta_token is not None:
            return self._tracking.count(table, options)
        if count:
            return self._queries.count_response(table, options, request.user)
        if self._tracking.covers(request, options):
            return self._tracking.page(table, request, options)
        return self._queries.page(table, request, options)

    def _function(self, name: str, request: Request) -> Response:
        if request.method != "GET":
            raise errors.no_such_resource(f"{request.base}/{request.path}")
        answers: dict[str, dict[str, object]] = {
            "WhoAmI": {
                "BusinessUnitId": self.identities.business_unit,
                "UserId": request.user,
                "OrganizationId": self._organization,
            },
            "RetrieveVersion": {"Version": SERVICE_VERSION},
            "RetrieveAvailableLanguages": {"LocaleIds": [1033]},
        }
        mark = f"{request.base}/$metadata#{PREFIX}{name}Response"
        return json_response({"@odata.context": mark, **answers[name]})


_DEFINITIONS = frozenset({ENTITIES, RELATIONSHIPS, OPTION_SETS, "$metadata"})
_FUNCTIONS = frozenset({"WhoAmI", "RetrieveVersion", "RetrieveAvailableLanguages"})
