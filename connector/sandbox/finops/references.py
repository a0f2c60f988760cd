"""Texts that name rows of other entities: are they there?

Owns: finding the row a reference names; making it up where a switch says so.
Never does: the text of a refusal (`errors.py`).
Tested in: tests/integration/sandbox/finops/test_writes.py.
"""

from __future__ import annotations

from connector.sandbox.comparing import fold
from connector.sandbox.finops import errors
from connector.sandbox.finops.catalog import BY_SET, referring
from connector.sandbox.finops.entities import COMPANY, Entity, Field
from connector.sandbox.finops.storage import Storage
from connector.sandbox.finops.values import Stored, unset


class References:
    """References of one storage.

    With `complete`, a row that is missing is made on the spot, as if the master data were there.
    """

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self.complete = False

    def resolve(self, entity: Entity, field: Field, text: str, company: str | None) -> Stored:
        """What is stored for `text`: a RecId, or the text in the other row's spelling.

        Raises `AxError` if there is no such row.
        """
        reference = field.reference
        assert reference is not None
        if not text:
            return unset(field)
        target = BY_SET[reference.target]
        found = self._find(target, reference.field, text, company)
        if found is None:
            # A card that replaces another is no master data.
            if not self.complete or target is entity:
                raise errors.unrelated(entity, field, text, reference.label)
            found = self._make(target, reference.field, text, company)
        recid, spelling = found
        return recid if reference.joined else spelling

    def _find(
        self, target: Entity, name: str, text: str, company: str | None
    ) -> tuple[int, str] | None:
        conditions, values = f'fold("{name}") = ?', [fold(text)]
        if target.company:
            conditions = f'fold("{COMPANY}") = ? AND {conditions}'
            values.insert(0, company)
        found: tuple[int, str] | None = self._storage.connection.execute(
            f'SELECT recid, "{name}" FROM "{target.set_name}" WHERE {conditions}',
            values,
        ).fetchone()
        return found

    def _make(self, target: Entity, name: str, text: str, company: str | None) -> tuple[int, str]:
        values = {field.name: unset(field) for field in target.listed}
        values[name] = text
        if target.company:
            values[COMPANY] = company or ""
        recid = self._storage.next_recid()
        row = [recid, 1, self._storage.next_change(), *values.values()]
        marks = ", ".join("?" for _ in row)
        self._storage.connection.execute(
            f'INSERT INTO "{target.set_name}" VALUES ({marks})',
            row,
        )
        return recid, text

    def need_free(self, entity: Entity, recid: int, values: dict[str, Stored]) -> None:
        """Raises `AxError` if other rows name the row with this RecId and these values."""
        for other, field in referring(entity):
            reference = field.reference
            assert reference is not None
            if reference.joined:
                # The index leaves out rows without a reference.
                condition = f'"{field.name}" = ? AND "{field.name}" <> 0'
                wanted: list[object] = [recid]
            else:
                condition = f'fold("{field.name}") = ?'
                wanted = [fold(str(values[reference.field]))]
            if entity.company:
                condition += f' AND fold("{COMPANY}") = ?'
                wanted.append(fold(str(values[COMPANY])))
            found = self._storage.connection.execute(
                f'SELECT 1 FROM "{other.set_name}" WHERE {condition} LIMIT 1',
                wanted,
            ).fetchone()
            if found is not None:
                raise errors.needed_elsewhere(entity, other)
