"""Parties, operating units and currencies: the rows that records point to.

Owns: finding a reference whatever its case or trailing blanks, creating the ones an import
may create.
Never does: deleting; knowing which field points where (`schema.py`).
Tested in: tests/unit/ledger/test_batch.py.
"""

from __future__ import annotations

from collections.abc import Mapping

import sqlalchemy as sa

from connector.errors import RecordError, Subject
from connector.ledger.fields import Field, fold
from connector.ledger.schema import CREATED_ON_IMPORT, REFERENCES
from connector.ledger.sql import rows_in


class References:
    """The reference rows one batch needs, fetched with one query per table."""

    def __init__(self, connection: sa.Connection, *, create: bool) -> None:
        self._connection = connection
        self._create = create
        self._known: dict[str, dict[str, str]] = {table: {} for table in REFERENCES}

    def load(self, wanted: Mapping[str, Mapping[str, str]]) -> None:
        """Fetch what is stored for `wanted`: table -> folded number -> number as spelled.

        With `create`, missing parties and operating units are added as they are spelled.
        """
        for name, numbers in wanted.items():
            known, table = self._known[name], REFERENCES[name]
            unseen = [key for key in numbers if key not in known]
            for row in rows_in(
                self._connection, [table.c.key, table.c.number], table.c.key, unseen
            ):
                known[row[0]] = row[1]
            if not self._create or name not in CREATED_ON_IMPORT:
                continue
            new = [{"key": key, "number": numbers[key]} for key in unseen if key not in known]
            if new:
                self._connection.execute(sa.insert(table), new)
                known.update((row["key"], row["number"]) for row in new)

    def resolve(self, field: Field, number: str) -> str:
        """The number as the reference table spells it.

        Raises RecordError `reference-unknown`, which Finance and Operations reports for such
        a write as well (fno-odata: a value not found in its related table).
        """
        assert field.reference is not None
        found = self._known[field.reference].get(fold(number))
        if found is None:
            name = field.reference.replace("_", " ")
            raise RecordError(
                "reference-unknown",
                f"field '{field.name}' names '{number}', which is not among the {name}",
                remedy=f"correct the value, or add it to the {name} of the ledger first",
                subject=Subject(field=field.name),
            )
        return found
