"""Tables and columns made, changed and removed at run time.

Owns: which changes are allowed, and carrying them out in definitions and stored rows alike.
Never does: HTTP (`metadata_writes.py`), reading bodies (`definitions/declarations.py`), keys
(`key_indexes.py`), relationships (`relating.py`), global choices (`choices.py`).
Tested in: tests/integration/sandbox/test_metadata_writes.py, test_sdk_tables.py.

Facts: "Dataverse Web API: create-update-entity-definitions-using-web-api",
"create-update-column-definitions-using-web-api", "Change tracking" (it cannot be switched off
again). Names carry the prefix of a publisher of the organization, whichever; that a solution's
components must have its own publisher's prefix is not enforced.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable
from dataclasses import replace

from connector.sandbox.dataverse.customizing.choices import Choices
from connector.sandbox.dataverse.definitions import ddl
from connector.sandbox.dataverse.definitions import metadata_errors as refusals
from connector.sandbox.dataverse.definitions.catalog import relationship_name
from connector.sandbox.dataverse.definitions.declarations import (
    MAX_NAME,
    read_column,
    read_over,
    read_table,
    read_table_over,
)
from connector.sandbox.dataverse.definitions.metadata_json import Json
from connector.sandbox.dataverse.definitions.tables import SCALED, Column, Kind, Table
from connector.sandbox.dataverse.standard.seed import Identities, message_filters
from connector.sandbox.dataverse.writing.records import Records

_SCHEMA_NAME = re.compile(r"([A-Za-z][A-Za-z0-9]{1,7})_[A-Za-z0-9_]+")
_EXCHANGE_RATE = Column(
    "ExchangeRate",
    Kind.DECIMAL,
    "Exchange Rate",
    precision=10,
    minimum=0,
    maximum=100_000_000,
    creatable=False,
    updatable=False,
)
_CURRENCY = Column("TransactionCurrencyId", Kind.LOOKUP, "Currency", target="transactioncurrency")


class Customizing:
    """Changes of tables and columns in one organization, inside the caller's transaction."""

    def __init__(self, records: Records, identities: Identities, choices: Choices) -> None:
        self._records = records
        self._storage = records.storage
        self._catalog = records.catalog
        self._identities = identities
        self._choices = choices

    def check_name(self, what: str, schema_name: str) -> None:
        """Raises `WireError` for a name without the prefix of a publisher."""
        rows = self._storage.connection.execute("SELECT customizationprefix FROM publisher")
        prefixes = sorted({str(row[0]).lower() for row in rows.fetchall()})
        match = _SCHEMA_NAME.fullmatch(schema_name)
        if match is None or match[1].lower() not in prefixes or len(schema_name) > MAX_NAME:
            raise refusals.bad_name(what, schema_name, ", ".join(prefixes))

    def check_solution(self, name: str) -> None:
        """Raises `WireError` for the unique name of no solution; empty asks for none."""
        known = self._storage.connection.execute(
            "SELECT 1 FROM solution WHERE fold(uniquename) = fold(?)", (name,)
        ).fetchone()
        if name and known is None:
            raise refusals.no_such_solution(name)

    # ------------------------------------------------------------------------ tables

    def create_table(self, body: Json, user: str) -> Table:
        """A new table with all columns of `body`. Raises `WireError`."""
        table, others = read_table(body)
        self.check_name("entity", table.schema_name)
        self.check_name("attribute", table.columns[table.primary_name].schema_name)
        if table.name in self._catalog.by_name or table.set_name in self._catalog.by_set:
            raise refusals.table_exists(table.schema_name)
        self._storage.execute_all(ddl.create_table(table))
        self._storage.define(table)
        for other in others:
            self.add_column(self._catalog.by_name[table.name], other)
        filters = self._catalog.by_name["sdkmessagefilter"]
        self._records.insert(filters, message_filters(self._identities, table), user)
        return table

    def change_table(self, table: Table, body: Json) -> None:
        """`PUT EntityDefinitions(…)`. Raises `WireError`."""
        changed = read_table_over(body, table)
        if table.change_tracking and not changed.change_tracking:
            raise refusals.invalid(
                f"Change tracking of the entity {table.name} is enabled and cannot be disabled."
            )
        self._storage.define(changed)

    def drop_table(self, table: Table, user: str) -> None:
        """Without the table, its rows and the steps registered on it. Raises `WireError`."""
        if table.managed:
            raise refusals.managed("entity", table.name)
        users = [
            relationship_name(owner, column)
            for owner, column in self._catalog.referrers[table.name]
            if owner is not table and not owner.intersect
        ]
        users += [
            one.schema_name
            for one in self._catalog.contents.many_to_many.values()
            if table.name in (one.first, one.second)
        ]
        if users:
            raise refusals.in_use("Entity", table.name, ", ".join(users))
        self._drop_steps(table, user)
        self._storage.connection.execute(
            "DELETE FROM sdkmessagefilter WHERE primaryobjecttypecode = ?", (table.name,)
        )
        self._storage.drop_table(table)

    def _drop_steps(self, table: Table, user: str) -> None:
        """A step whose filter is gone would hear of every table."""
        found = self._storage.connection.execute(
            "SELECT sdkmessageprocessingstepid FROM sdkmessageprocessingstep "
            "JOIN sdkmessagefilter USING (sdkmessagefilterid) WHERE primaryobjecttypecode = ?",
            (table.name,),
        ).fetchall()
        steps = self._catalog.by_name["sdkmessageprocessingstep"]
        with self._records.privileges.acting(None):
            for (step,) in found:
                self._records.delete(steps, str(step), None, user)

    # ------------------------------------------------------------------------ columns

    def add_column(self, table: Table, body: Json) -> Column:
        """A new column. Raises `WireError`."""
        column = self._choices.resolve(body, read_column(body))
        self.check_name("attribute", column.schema_name)
        added = [column]
        if column.kind is Kind.MONEY:
            common = (one for one in (_CURRENCY, _EXCHANGE_RATE) if one.name not in table.columns)
            added = [column, _base(column), *common]
        self.grow(table, added)
        return column

    def grow(self, table: Table, added: Iterable[Column]) -> None:
        """`table` with these columns too. Raises `WireError` for a name it has."""
        columns = dict(table.columns)
        for column in added:
            if column.name in columns:
                raise refusals.column_exists(column.schema_name, table.name)
            self._storage.execute_all(ddl.add_column(table, column))
            columns[column.name] = column
        self._storage.define(replace(table, columns=columns))

    def change_column(self, table: Table, column: Column, body: Json) -> None:
        """`PUT …/Attributes(…)`; options change by their own actions. Raises `WireError`."""
        changed = replace(
            read_over(body, column), options=column.options, option_set=column.option_set
        )
        if changed.secured and not column.custom:
            raise refusals.invalid(f"The attribute {column.name} cannot be secured.")
        if changed.secured and any(column.name in key.columns for key in table.keys):
            raise refusals.invalid(f"The attribute {column.name} is part of an entity key.")
        if column.date_only and not changed.date_only:
            raise refusals.invalid(f"The behavior of {column.name} cannot be changed again.")
        self._convert(table, column, changed)
        columns = {**table.columns, column.name: changed}
        if changed.kind is Kind.MONEY and _base(column).name in columns:
            columns[_base(column).name] = _base(changed)
        self._storage.define(replace(table, columns=columns))

    def _convert(self, table: Table, before: Column, after: Column) -> None:
        """Bring stored values into the form of the changed column."""
        name, shift = before.name, after.places - before.places
        if before.kind in SCALED and shift:
            value = f'"{name}" * {10**shift}' if shift > 0 else f'round("{name}" / 1e{-shift})'
            value = f"CAST({value} AS INTEGER)"
        elif after.date_only and not before.date_only:
            value = f'substr("{name}", 1, 10)'
        else:
            return
        self._storage.connection.execute(f'UPDATE "{table.name}" SET "{name}" = {value}')

    def drop_column(self, table: Table, column: Column) -> None:
        """Without the column and its values. Raises `WireError`."""
        if column.managed or column.name == table.primary_name:
            raise refusals.managed("attribute", column.name)
        keys = [key.schema_name for key in table.keys if column.name in key.columns]
        if keys:
            raise refusals.in_use("Attribute", column.name, ", ".join(keys))
        gone = [column]
        if column.kind is Kind.MONEY:
            gone.append(table.columns[_base(column).name])
        for one in gone:
            self._storage.execute_all(ddl.drop_column(table, one))
        kept = {name: one for name, one in table.columns.items() if one not in gone}
        self._storage.define(replace(table, columns=kept))


def _base(column: Column) -> Column:
    """The amount in the organization's own currency, which comes with a money column."""
    return replace(
        column,
        schema_name=f"{column.schema_name}_Base",
        label=f"{column.label} (Base)",
        creatable=False,
        updatable=False,
        required="None",
        managed=True,
        identity=str(uuid.uuid5(uuid.UUID(column.identity), "base")),
    )
