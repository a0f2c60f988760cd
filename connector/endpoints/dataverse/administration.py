"""Changing what an organization is made of: tables, columns, keys, change tracking.

Owns: carrying out the steps of provisioning by the metadata API; reading what is there for them.
Never does: deciding what is missing (`connector.mapping.tables.provision`); changing a column, key
or table that exists, but for change tracking and further options.
Tested in: tests/unit/endpoints/dataverse/test_administration.py, tests/acceptance/
test_provision.py.

Facts: "Dataverse Web API: create-update-entity-definitions-using-web-api" (definitions are
replaced by PUT with MSCRM.MergeLabels, and published), "define-alternate-keys-entity" (an index is
built in the background).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from xml.sax.saxutils import escape

from connector.endpoints.dataverse.declarations import Declarations, publisher
from connector.endpoints.dataverse.exchange import Exchange, Json
from connector.endpoints.dataverse.metadata import Tables
from connector.endpoints.dataverse.rights import UserRights, read_rights
from connector.endpoints.dataverse.webhooks import Webhooks
from connector.endpoints.web.transport import Transport
from connector.errors import MapError, Subject
from connector.mapping.tables.provision import (
    AddOption,
    AwaitKey,
    Existing,
    MakeColumn,
    MakeKey,
    MakePublisher,
    MakeTable,
    RetryKey,
    Step,
    TrackChanges,
)
from connector.mapping.tables.wanted import WantedColumn, WantedTable
from connector.odata.literals import literal
from connector.odata.queries import query_string

LONGEST_CHANGE = 300.0
"""Seconds the answer to a change of definitions may take; a new table needs half a minute."""
_FIRST_LOOK = 0.25
"""Seconds until the second look at an index: that of a small table is there at once."""
_POLL = 2.0
"""Seconds between two later looks; each waits twice as long as the one before, up to this."""


class Administration:
    """The definitions of one organization. Used by one thread.

    `sleep` takes seconds; `index_seconds` is how long an index is waited for.
    """

    def __init__(
        self,
        transport: Transport,
        *,
        sleep: Callable[[float], None],
        index_seconds: float = 600.0,
    ) -> None:
        self._transport = transport
        self._exchange = Exchange(transport)
        self._tables = Tables(transport)
        self._sleep = sleep
        self._index_seconds = index_seconds
        self._known: Declarations | None = None
        self.webhooks = Webhooks(transport)

    @property
    def users(self) -> int:
        """How many application users we are; the first of them changes definitions."""
        return self._transport.users

    def rights(self, user: int) -> UserRights:
        """What one of our users may do. Raises `AccessError` and `UnreachableError`."""
        return read_rights(self._transport, user)

    def owner_privileges(self, owner: str) -> frozenset[str]:
        """What `teams(ID)` or `systemusers(ID)` may do: names of privileges in lower case.

        Facts: the functions RetrieveTeamPrivileges and RetrieveUserPrivileges. Raises
        `AccessError` and `UnreachableError`.
        """
        of = "Team" if owner.startswith("teams(") else "User"
        path = f"{owner}/Microsoft.Dynamics.CRM.Retrieve{of}Privileges()"
        held = self._exchange.read(path, owner.partition("(")[0]).get("RolePrivileges", ())
        return frozenset(str(one["PrivilegeName"]).lower() for one in held)

    def pointing(self, set_name: str, named_by: str, column: str) -> Mapping[str, str | None]:
        """What the lookup `column` of each active row points to, by the text in `named_by`.

        One page of them, for tables of few rows. Raises `AccessError`, `MapError` and
        `UnreachableError`.
        """
        held = f"_{column}_value"
        path = f"{set_name}?$select={named_by},{held}&$filter=statecode eq 0"
        rows = self._exchange.read(path, set_name).get("value", ())
        return {str(row[named_by]): row[held] for row in rows if row[named_by] is not None}

    def logical_name(self, set_name: str) -> str:
        """The logical name of a table. Raises `MapError` if there is none."""
        return self._tables.get(set_name).logical_name

    def set_names(self) -> Mapping[str, str]:
        """The entity set name of each table, by its logical name."""
        path = "EntityDefinitions?$select=LogicalName,EntitySetName"
        rows = self._exchange.read(path, "EntityDefinitions").get("value", ())
        return {row["LogicalName"]: row["EntitySetName"] for row in rows if row["EntitySetName"]}

    def schema_name(self, set_name: str) -> str:
        """The schema name of a table, its logical name in its own case. Raises `MapError`."""
        path = f"{_definition(self.logical_name(set_name))}?$select=SchemaName"
        return str(self._exchange.read(path, set_name)["SchemaName"])

    def key_states(self, set_name: str) -> Mapping[frozenset[str], str]:
        """State of the index of each alternate key, by its columns.

        `Pending`, `InProgress`, `Active` or `Failed`.
        """
        return {
            frozenset(key["KeyAttributes"]): str(key.get("EntityKeyIndexStatus") or "Active")
            for key in self._keys(set_name)
        }

    def language(self) -> int:
        """The organization's base language (LCID, such as 1033), in which labels have to be."""
        answer = self._exchange.read("organizations?$select=languagecode", "organizations")
        return int(answer["value"][0]["languagecode"])

    def prefixes(self) -> frozenset[str]:
        """The prefixes names of tables and columns may bear: those of the publishers there are."""
        answer = self._exchange.read("publishers?$select=customizationprefix", "publishers")
        return frozenset(str(one["customizationprefix"]).lower() for one in answer["value"])

    def existing(self, set_name: str) -> Existing | None:
        """The table as it is; None where there is no such entity set."""
        try:
            table = self._tables.describe(set_name)
        except MapError as error:
            if error.code == "entity-unknown":
                return None
            raise
        return Existing(
            logical_name=table.logical_name,
            columns=table.entity.columns,
            keys=self.key_states(set_name),
            tracked=table.tracked,
        )

    def carry_out(self, step: Step) -> None:
        """One step; of an index this only waits until it is built, failed, or takes too long.

        Raises what `Exchange.change` does; then the step may have been done, which the next
        comparison tells.
        """
        match step:
            case MakePublisher(_, prefix):
                self._exchange.change("POST", "publishers", publisher(prefix), step)
            case MakeTable(table):
                self._make_table(step, table)
            case MakeColumn(table, column) if column.target is not None:
                self._make_lookup(step, table, column, column.target)
            case MakeColumn(table, column):
                path = f"{_definition(self._logical(table))}/Attributes"
                self._exchange.change("POST", path, self._declare.column(column), step)
            case AddOption(table, column, value):
                body = {
                    **self._choice(table, column),
                    "Value": value,
                    "Label": self._declare.label(column.options[value]),
                }
                self._exchange.change("POST", "InsertOptionValue", body, step)
            case MakeKey(table):
                path = f"{_definition(self._logical(table))}/Keys"
                self._exchange.change("POST", path, self._declare.key(table), step)
            case RetryKey(table):
                body = {
                    "EntityLogicalName": self._logical(table),
                    "EntityKeyLogicalName": self._key_name(table),
                }
                self._exchange.change("POST", "ReactivateEntityKey", body, step)
            case TrackChanges(table):
                self._track(step, table)
            case AwaitKey(table):
                self._await_key(table)

    def publish(self, tables: Iterable[WantedTable]) -> None:
        """Make the changes of these tables take effect for everybody."""
        names = "".join(f"<entity>{escape(self._logical(table))}</entity>" for table in tables)
        xml = f"<importexportxml><entities>{names}</entities></importexportxml>"
        self._exchange.change("POST", "PublishXml", {"ParameterXml": xml}, "publish the tables")

    def key_state(self, table: WantedTable) -> str:
        """The state of the index of the wanted key; empty where there is no such key."""
        return self.key_states(table.set_name).get(frozenset(table.key), "")

    # ------------------------------------------------------------------------ steps

    def _make_table(self, step: Step, table: WantedTable) -> None:
        self._exchange.change("POST", "EntityDefinitions", self._declare.table(table), step)
        where = f"LogicalName eq {literal(table.name)}"
        options = query_string({"$select": "LogicalName,EntitySetName", "$filter": where})
        made = self._exchange.read(f"EntityDefinitions?{options}", table.set_name)["value"]
        set_name = made[0]["EntitySetName"] if made else None
        if set_name != table.set_name:
            raise MapError(
                "entity-set-differs",
                f"the new table {table.name} is called {set_name} in URLs, not {table.set_name}",
                remedy=f"write {set_name} in the map and in its table file",
                subject=Subject(side="dataverse", entity=table.set_name),
            )

    def _make_lookup(
        self, step: Step, table: WantedTable, column: WantedColumn, target_set: str
    ) -> None:
        target = self._tables.get(target_set)
        body = self._declare.lookup(
            column, self._logical(table), target.logical_name, target.id_column
        )
        self._exchange.change("POST", "RelationshipDefinitions", body, step)

    def _track(self, step: Step, table: WantedTable) -> None:
        path = _definition(self._logical(table))
        definition = self._exchange.read(path, table.set_name)
        whole = {name: value for name, value in definition.items() if name != "@odata.context"}
        body = {
            "@odata.type": "Microsoft.Dynamics.CRM.EntityMetadata",
            **whole,
            "ChangeTrackingEnabled": True,
        }
        self._exchange.change("PUT", path, body, step, {"MSCRM.MergeLabels": "true"})

    def _await_key(self, table: WantedTable) -> None:
        waited, pause = 0.0, _FIRST_LOOK
        while self.key_state(table) not in ("Active", "Failed") and waited < self._index_seconds:
            self._sleep(pause)
            waited += pause
            pause = min(2 * pause, _POLL)

    # ------------------------------------------------------------------------ requests

    @property
    def _declare(self) -> Declarations:
        if self._known is None:
            self._known = Declarations(self.language())
        return self._known

    def _choice(self, table: WantedTable, column: WantedColumn) -> dict[str, str]:
        """What names the choice of a column: a global one has a name of its own.

        Dataverse Web API: "InsertOptionValue" (OptionSetName for a global choice, else the table
        and the column), "create-update-optionsets".
        """
        logical = self._logical(table)
        attribute = f"{_definition(logical)}/Attributes(LogicalName={literal(column.name)})"
        options = query_string({"$select": "LogicalName", "$expand": "OptionSet"})
        path = f"{attribute}/Microsoft.Dynamics.CRM.PicklistAttributeMetadata?{options}"
        choice = self._exchange.read(path, table.set_name).get("OptionSet") or {}
        if choice.get("IsGlobal"):
            return {"OptionSetName": choice["Name"]}
        return {"EntityLogicalName": logical, "AttributeLogicalName": column.name}

    def _logical(self, table: WantedTable) -> str:
        """The logical name, which a table that was there before may have of its own."""
        return self.logical_name(table.set_name)

    def _keys(self, set_name: str) -> list[Json]:
        options = query_string({"$select": "LogicalName,KeyAttributes,EntityKeyIndexStatus"})
        path = f"{_definition(self.logical_name(set_name))}/Keys?{options}"
        found: list[Json] = self._exchange.read(path, set_name)["value"]
        return found

    def _key_name(self, table: WantedTable) -> str:
        """The logical name of the key on these columns."""
        return next(
            str(key["LogicalName"])
            for key in self._keys(table.set_name)
            if frozenset(key["KeyAttributes"]) == frozenset(table.key)
        )


def _definition(logical_name: str) -> str:
    return f"EntityDefinitions(LogicalName={literal(logical_name)})"
