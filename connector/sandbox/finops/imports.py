"""Running an import: a package into the entities.

Owns: reading the package, writing its rows one by one, the errors of each.
Never does: the form of a package (`packages.py`, `data_files.py`), the rules of a row
(`writes.py`).
Tested in: tests/integration/sandbox/finops/test_imports.py.

Facts: "Finance and Operations: data-management-api": rows are staged, then written; those that
fail are told by error files, the rest stays. Imports must not run at the same time.
"""

from __future__ import annotations

import csv
import io
from typing import Any

from connector.sandbox.finops.blobs import Blobs
from connector.sandbox.finops.data_files import UnreadableError, read
from connector.sandbox.finops.entities import COMPANY, Entity
from connector.sandbox.finops.errors import AxError
from connector.sandbox.finops.executions import Execution, Executions, Outcome
from connector.sandbox.finops.keys import find
from connector.sandbox.finops.packages import Part, unpack
from connector.sandbox.finops.people import User
from connector.sandbox.finops.projects import entity_named
from connector.sandbox.finops.storage import Storage
from connector.sandbox.finops.writes import Writes, read_body


class Imports:
    """Imports of one environment."""

    def __init__(
        self, storage: Storage, writes: Writes, executions: Executions, blobs: Blobs
    ) -> None:
        self._storage = storage
        self._writes = writes
        self._executions = executions
        self._blobs = blobs

    def run(
        self, project: str, execution_id: str, content: bytes, user: User, company: str
    ) -> Execution:
        """Import a package; part of the running transaction, each row a part of its own."""
        trouble = self._executions.next_trouble()
        errors: list[dict[str, str]] = []
        written = 0
        try:
            parts = unpack(content)
        except UnreadableError as error:
            parts = []
            errors.append({"entity": "", "key": "", "text": str(error)})
        for part in parts:
            if trouble.outcome in (Outcome.FAILED, Outcome.CANCELED):
                break
            written += self._part(part, user, company, errors)
        outcome = trouble.outcome
        if outcome is Outcome.SUCCEEDED and errors:
            outcome = Outcome.PARTIALLY if written else Outcome.FAILED
        began, ends = self._executions.now, self._executions.ends(trouble)
        errors += [{"entity": "", "key": "", "text": text} for text in trouble.errors]
        execution = Execution(
            execution_id, project, began, ends, outcome, errors=errors, imports=True
        )
        self._executions.put(execution)
        return execution

    def _part(self, part: Part, user: User, company: str, errors: list[dict[str, str]]) -> int:
        """How many rows of one entity were written."""
        try:
            entity = entity_named(part.target or part.label)
        except KeyError:
            text = f"The entity '{part.label}' does not exist."
            errors.append({"entity": part.label, "key": "", "text": text})
            return 0
        written = 0
        try:
            for row in read(entity, part.content, part.format):
                written += self._row(entity, row, user, company, errors)
        except UnreadableError as error:
            errors.append({"entity": entity.label, "key": "", "text": str(error)})
        return written

    def _row(
        self,
        entity: Entity,
        row: dict[str, Any],
        user: User,
        company: str,
        errors: list[dict[str, str]],
    ) -> bool:
        """Create or change one row; whether it went in."""
        if entity.company:
            row = {**row, COMPANY: company}
        keys = [str(row.get(name, "")) for name in entity.key]
        try:
            with self._storage.savepoint():
                given = read_body(entity, row)
                found = find(self._storage, entity, keys, entity.listed)
                if found is None:
                    self._writes.insert(entity, given, company, user.name)
                else:
                    self._writes.change(entity, found, given, user.name)
        except AxError as error:
            errors.append({"entity": entity.label, "key": keys[-1], "text": error.inner})
            return False
        return True

    def error_keys(self, execution: Execution, entity_name: str) -> str | None:
        """A file with the keys of the rows of an entity that failed; its name, None for none."""
        entity = entity_named(entity_name)
        failed = [one for one in execution.errors if one["key"] and one["entity"] == entity.label]
        if not failed:
            return None
        file = io.StringIO(newline="")
        writer = csv.writer(file, lineterminator="\r\n")
        writer.writerow([entity.key[-1].upper(), "ERROR"])
        writer.writerows([one["key"], one["text"]] for one in failed)
        name = self._blobs.new_name(".csv")
        self._blobs.write(name, file.getvalue().encode())
        return name
