"""Global choices, and the options of choices everywhere.

Owns: creating and removing global choices; adding, renaming and removing options.
Never does: HTTP (`metadata_writes.py`), columns otherwise (`table_changes.py`).
Tested in: tests/integration/sandbox/test_metadata_choices.py.

Facts: "Dataverse Web API: create-update-optionsets", "InsertOptionValue", "UpdateOptionValue",
"DeleteOptionValue". A new option without a value gets the publisher's option value prefix
followed by four digits.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from connector.sandbox.dataverse.definitions import metadata_errors as refusals
from connector.sandbox.dataverse.definitions.catalog import OptionSet, option_set_id
from connector.sandbox.dataverse.definitions.declarations import (
    label_member,
    options_member,
    text_member,
)
from connector.sandbox.dataverse.definitions.metadata_json import Json
from connector.sandbox.dataverse.definitions.tables import INT32, Column, Kind, Table
from connector.sandbox.dataverse.storage import Storage

_BIND = re.compile(r"/?(?:.*/)?GlobalOptionSetDefinitions\((?:Name='(\w+)'|([0-9a-fA-F-]{36}))\)")
_WITH_OPTIONS = frozenset({Kind.PICKLIST, Kind.MULTI_PICKLIST})
VALUES_PER_PREFIX = 10_000


class Choices:
    """The choices of one organization."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._catalog = storage.catalog

    # ------------------------------------------------------------------------ global choices

    def create(self, body: Json) -> OptionSet:
        """A new global choice. Raises `WireError`."""
        name = text_member(body, "Name").lower()
        if name in self._catalog.contents.option_sets:
            raise refusals.option_set_exists(name)
        made = OptionSet(
            name,
            label_member(body, "DisplayName", name),
            options_member(body),
            label_member(body, "Description"),
        )
        self._storage.define(made)
        return made

    def drop(self, option_set: OptionSet) -> None:
        """Without the choice. Raises `WireError` where a column uses it."""
        users = [f"{table.name}.{column.name}" for table, column in self._users(option_set.name)]
        if users:
            raise refusals.in_use("OptionSet", option_set.name, ", ".join(users))
        self._storage.undefine(option_set)

    def resolve(self, body: Json, column: Column) -> Column:
        """A declared column with the options of the global choice it names, if it names one."""
        name, bound = column.option_set, text_member(body, "GlobalOptionSet@odata.bind")
        if bound:
            match = _BIND.fullmatch(bound)
            if match is None:
                raise refusals.invalid(f"'{bound}' names no global option set.")
            name = (match[1] or self._name_of(match[2])).lower()
        if not name:
            return column
        option_set = self.named(name)
        return replace(column, option_set=name, options=option_set.options)

    def named(self, name: str) -> OptionSet:
        """The global choice with this name. Raises `WireError`."""
        found = self._catalog.contents.option_sets.get(name.lower())
        if found is None:
            raise refusals.not_found("optionset", f"Name = {name}")
        return found

    def _name_of(self, identity: str) -> str:
        for name in self._catalog.contents.option_sets:
            if option_set_id(name) == identity.lower():
                return name
        raise refusals.not_found("optionset", f"MetadataId = {identity}")

    def _users(self, name: str) -> list[tuple[Table, Column]]:
        return [
            (table, column)
            for table in self._catalog.by_name.values()
            for column in table.columns.values()
            if column.option_set == name
        ]

    # ------------------------------------------------------------------------ options

    def insert(self, body: Json) -> int:
        """`InsertOptionValue`: the value of the new option. Raises `WireError`."""
        options = dict(self._options(body))
        value = body.get("Value")
        if value is None:
            first = self._prefix() * VALUES_PER_PREFIX
            value = max((one + 1 for one in options if one >= first), default=first)
        if type(value) is not int or not INT32[0] <= value <= INT32[1]:
            raise refusals.invalid("'Value' must be a whole number.")
        if value in options:
            raise refusals.invalid(f"The option value {value} is there already.")
        options[value] = label_member(body, "Label", str(value))
        self._keep(body, options)
        return value

    def rename(self, body: Json) -> None:
        """`UpdateOptionValue`. Raises `WireError`."""
        options = dict(self._options(body))
        value = self._present(body, options)
        options[value] = label_member(body, "Label", options[value])
        self._keep(body, options)

    def remove(self, body: Json) -> None:
        """`DeleteOptionValue`; rows keep a value that is gone. Raises `WireError`."""
        options = dict(self._options(body))
        del options[self._present(body, options)]
        self._keep(body, options)

    def _present(self, body: Json, options: Mapping[int, str]) -> int:
        value = body.get("Value")
        if type(value) is not int or value not in options:
            raise refusals.not_found("option", f"Value = {value}")
        return value

    def _options(self, body: Json) -> Mapping[int, str]:
        shared = self._shared(body)
        return self.named(shared).options if shared else self._column(body)[1].options

    def _shared(self, body: Json) -> str:
        """The global choice that is meant, also where a column that uses it is named."""
        name = text_member(body, "OptionSetName")
        return name or self._column(body)[1].option_set

    def _column(self, body: Json) -> tuple[Table, Column]:
        owner = text_member(body, "EntityLogicalName")
        name = text_member(body, "AttributeLogicalName")
        table = self._catalog.by_name.get(owner)
        column = None if table is None else table.columns.get(name)
        if table is None or column is None or column.kind not in _WITH_OPTIONS:
            raise refusals.not_found("optionset attribute", f"LogicalName = {owner}.{name}")
        return table, column

    def _keep(self, body: Json, options: Mapping[int, str]) -> None:
        shared = self._shared(body)
        if not shared:
            self._change(*self._column(body), options)
            return
        self._storage.define(replace(self.named(shared), options=options))
        for table, column in self._users(shared.lower()):
            self._change(self._catalog.by_name[table.name], column, options)

    def _change(self, table: Table, column: Column, options: Mapping[int, str]) -> None:
        changed = replace(column, options=options)
        self._storage.define(replace(table, columns={**table.columns, column.name: changed}))

    def _prefix(self) -> int:
        """The option value prefix of the default solution's publisher."""
        (prefix,) = self._storage.connection.execute(
            "SELECT publisher.customizationoptionvalueprefix FROM solution JOIN publisher "
            "USING (publisherid) WHERE solution.uniquename = 'Default'"
        ).fetchone()
        return int(prefix)
