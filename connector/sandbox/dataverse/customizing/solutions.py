"""`ImportSolution`: an unmanaged solution brought in.

Owns: the order of an import, what of it is there already, publisher and solution as rows.
Never does: reading the file (`solution_files.py`); managed solutions, layers, exports.
Tested in: tests/integration/sandbox/test_solutions.py.

Facts: "Dataverse Web API: ImportSolution". An unmanaged import adds what is missing. Columns
and keys that are there stay as they are here, where the service would change them.
"""

from __future__ import annotations

import base64
import binascii
import uuid

from connector.sandbox.dataverse.customizing.choices import Choices
from connector.sandbox.dataverse.customizing.key_indexes import KeyIndexes
from connector.sandbox.dataverse.customizing.relating import Relating
from connector.sandbox.dataverse.customizing.solution_files import (
    SolutionFile,
    TablePart,
    read_solution,
)
from connector.sandbox.dataverse.customizing.table_changes import Customizing
from connector.sandbox.dataverse.definitions import metadata_errors as refusals
from connector.sandbox.dataverse.definitions.declarations import text_member
from connector.sandbox.dataverse.definitions.metadata_json import Json
from connector.sandbox.dataverse.writing.payloads import Values
from connector.sandbox.dataverse.writing.records import Records


class Solutions:
    """Imports into one organization, inside the caller's transaction."""

    def __init__(
        self,
        records: Records,
        customizing: Customizing,
        indexes: KeyIndexes,
        relating: Relating,
        choices: Choices,
    ) -> None:
        self._records = records
        self._catalog = records.catalog
        self._customizing = customizing
        self._indexes = indexes
        self._relating = relating
        self._choices = choices

    def bring_in(self, body: Json, user: str) -> None:
        """The body of `ImportSolution`. Raises `WireError`; then nothing is changed."""
        try:
            content = base64.b64decode(text_member(body, "CustomizationFile"), validate=True)
        except (binascii.Error, ValueError) as error:
            raise refusals.invalid(f"'CustomizationFile' is not base64: {error}") from error
        file = read_solution(content)
        with self._records.privileges.acting(None):
            self._register(file, user)
            for option_set in file.option_sets:
                if option_set["Name"].lower() not in self._catalog.contents.option_sets:
                    self._customizing.check_name("optionset", option_set["Name"])
                    self._choices.create(option_set)
            for table in file.tables:
                self._table(table, user)
            for relationship in file.relationships:
                owner = self._catalog.by_name.get(relationship["ReferencingEntity"])
                lookup = relationship["Lookup"]["SchemaName"].lower()
                if owner is None or lookup not in owner.columns:
                    self._relating.create(relationship)
            for table in file.tables:
                self._keys(table)

    def _register(self, file: SolutionFile, user: str) -> None:
        """Publisher and solution as rows, where they are not there yet."""
        publisher = self._row("publisher", file.publisher, user)
        self._row("solution", {**file.solution, "publisherid": publisher}, user)

    def _row(self, table: str, values: Values, user: str) -> str:
        """The id of the row with this unique name."""
        definition = self._catalog.by_name[table]
        found = self._records.storage.connection.execute(
            f'SELECT "{definition.id_column}" FROM "{table}" WHERE uniquename = ?',
            (values["uniquename"],),
        ).fetchone()
        if found is not None:
            return str(found[0])
        identity = str(uuid.uuid4())
        row = {**values, definition.id_column: identity}
        self._records.insert(definition, [row], user)
        return identity

    def _table(self, part: TablePart, user: str) -> None:
        name = part.body["SchemaName"].lower()
        if name not in self._catalog.by_name:
            whole = {**part.body, "Attributes": [*part.columns]}
            self._customizing.create_table(whole, user)
            return
        for column in part.columns:
            table = self._catalog.by_name[name]
            if column["SchemaName"].lower() not in table.columns:
                self._customizing.add_column(table, column)
        if part.body.get("ChangeTrackingEnabled"):
            tracked = {"ChangeTrackingEnabled": True}
            self._customizing.change_table(self._catalog.by_name[name], tracked)

    def _keys(self, part: TablePart) -> None:
        """Keys come last: they may need a lookup."""
        for key in part.keys:
            table = self._catalog.by_name[part.body["SchemaName"].lower()]
            if key["SchemaName"].lower() not in {one.name for one in table.keys}:
                self._customizing.check_name("entitykey", key["SchemaName"])
                self._indexes.add(table, key)
