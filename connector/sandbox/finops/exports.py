"""Running an export: which rows, into which package.

Owns: full and incremental selection, the progress of a project, spoiled packages.
Never does: the form of a package (`packages.py`, `data_files.py`).
Tested in: tests/integration/sandbox/finops/test_exports.py.

Facts: "Finance and Operations: data-management-api", "entity-change-track": with change tracking
on the entity an incremental project exports the rows created or changed since its last run, whole
ones; without it all rows. Deletes are in no package. A company's rows go without the company.
"""

from __future__ import annotations

import io
import zipfile

from connector.sandbox.finops.blobs import Blobs
from connector.sandbox.finops.catalog import BY_SET
from connector.sandbox.finops.data_files import write
from connector.sandbox.finops.entities import COMPANY, Entity, Field
from connector.sandbox.finops.executions import Execution, Executions, Outcome, Spoil, Trouble
from connector.sandbox.finops.packages import HEADER, MANIFEST, file_name, pack
from connector.sandbox.finops.projects import Project, Projects, Refresh, Tracking
from connector.sandbox.finops.rows import expression, source
from connector.sandbox.finops.storage import Storage


class Exports:
    """Exports of one environment."""

    def __init__(
        self, storage: Storage, projects: Projects, executions: Executions, blobs: Blobs
    ) -> None:
        self._storage = storage
        self._projects = projects
        self._executions = executions
        self._blobs = blobs

    def run(self, project: Project, execution_id: str, company: str) -> Execution:
        """Export a project as it stands now; part of the running transaction.

        A run that ends as Failed or Canceled leaves the project where it was.
        """
        trouble = self._executions.next_trouble()
        execution = Execution(
            execution_id,
            project.name,
            self._executions.now,
            self._executions.ends(trouble),
            trouble.outcome,
            errors=[{"entity": "", "key": "", "text": text} for text in trouble.errors],
        )
        if trouble.outcome in (Outcome.SUCCEEDED, Outcome.PARTIALLY):
            execution.blob = self._blobs.new_name(".zip")
            self._blobs.write(execution.blob, self._package(project, company, trouble))
        self._executions.put(execution)
        return execution

    def _package(self, project: Project, company: str, trouble: Trouble) -> bytes:
        parts: list[tuple[Entity, tuple[Field, ...], bytes]] = []
        upto = self._storage.changes
        for number, set_name in enumerate(project.entities):
            entity = BY_SET[set_name]
            fields = tuple(one for one in entity.listed if one.name != COMPANY)
            if trouble.outcome is Outcome.PARTIALLY and number == 0:
                # The first entity failed; its rows come with the next run.
                parts.append((entity, fields, write(entity, fields, [], project.format)))
                continue
            rows = self._rows(project, entity, fields, company)
            parts.append((entity, fields, write(entity, fields, rows, project.format)))
            self._projects.set_exported(project.name, entity, company, upto)
        content = pack(project, parts, project.refresh)
        return _spoiled(content, trouble.spoil, BY_SET[project.entities[0]], project)

    def _rows(
        self, project: Project, entity: Entity, fields: tuple[Field, ...], company: str
    ) -> list[tuple[object, ...]]:
        conditions: list[str] = []
        values: list[object] = []
        if entity.company:
            conditions.append(f'fold(t."{COMPANY}") = ?')
            values.append(company)
        mode = self._projects.tracking(entity)
        if mode is not None and project.refresh is Refresh.INCREMENTAL:
            since = self._projects.exported(project.name, entity, company)
            columns = ["t.changed"]
            if mode is Tracking.ENTIRE:
                columns += [f'coalesce("{one.name}".changed, 0)' for one in entity.joined]
            conditions.append(f"({' OR '.join(f'{column} > ?' for column in columns)})")
            values += [since] * len(columns)
        where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
        columns = [expression(one) for one in fields]
        return self._storage.connection.execute(
            f"SELECT {', '.join(columns)} FROM {source(entity)}{where} ORDER BY t.recid", values
        ).fetchall()


def _spoiled(content: bytes, spoil: Spoil, entity: Entity, project: Project) -> bytes:
    """The package with the fault a switch ordered."""
    if spoil is Spoil.NOTHING:
        return content
    if spoil is Spoil.TRUNCATED:
        return content[: len(content) // 2]
    changed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(changed, "w") as new:
        for info in old.infolist():
            data = old.read(info)
            if spoil is Spoil.NO_MANIFEST and info.filename in (MANIFEST, HEADER):
                continue
            if spoil is Spoil.MISSING_FILE and info.filename == file_name(entity, project.format):
                continue
            if spoil is Spoil.UNKNOWN_ENTITY and info.filename == MANIFEST:
                text = data.decode("utf-16").replace(entity.label, "Unheard of")
                data = text.replace(entity.aot_name, "UnheardOfEntity").encode("utf-16")
            new.writestr(info.filename, data)
    return changed.getvalue()
