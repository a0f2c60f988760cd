"""Data projects, and which entities have change tracking.

Owns: what an administrator sets up before anything is exported: projects, formats, tracking.
Never does: running a project (`exports.py`, `imports.py`).
Tested in: tests/integration/sandbox/finops/test_exports.py.

Facts: "Finance and Operations: data-management-api" (the project must exist), "entity-change-track"
(per entity the primary table or the entire entity; it drives incremental exports only, of rows
created or changed, never of deletes).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

import orjson

from connector.sandbox.finops.catalog import ENTITIES
from connector.sandbox.finops.entities import Entity
from connector.sandbox.finops.storage import Storage


class Format(StrEnum):
    """How a data file of a package is written."""

    CSV = "CSV"
    """UTF-8 with a byte order mark."""
    CSV_UNICODE = "CSV-Unicode"
    """UTF-16."""
    XML = "XML-Element"


class Refresh(StrEnum):
    """Which rows a run exports."""

    FULL = "FullPush"
    INCREMENTAL = "IncrementalPush"


class Tracking(StrEnum):
    """What counts as a change of a row."""

    PRIMARY = "primary"
    """A write to its own table."""
    ENTIRE = "entire"
    """Also a write to a row that it shows something of."""


@dataclass(frozen=True, slots=True)
class Project:
    """One project: its entities by the names of their sets."""

    name: str
    entities: tuple[str, ...]
    format: Format = Format.CSV
    refresh: Refresh = Refresh.INCREMENTAL


def entity_named(name: str) -> Entity:
    """An entity by its set, its label or its name inside the application. Raises `KeyError`."""
    for entity in ENTITIES:
        if name.casefold() in {
            entity.set_name.casefold(),
            entity.label.casefold(),
            entity.aot_name.casefold(),
        }:
            return entity
    raise KeyError(name)


def parse_project(value: Mapping[str, Any]) -> Project:
    """A project from its JSON. Raises `ValueError`, `TypeError` or `KeyError`."""
    return Project(
        str(value["name"]),
        tuple(entity_named(name).set_name for name in value["entities"]),
        Format(value.get("format", Format.CSV)),
        Refresh(value.get("refresh", Refresh.INCREMENTAL)),
    )


class Projects:
    """The projects and the tracking of one environment."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def put(self, project: Project) -> None:
        """Make a project, or another of the same name in its place; it begins anew."""
        with self._storage.transaction():
            self._storage.connection.execute(
                "INSERT OR REPLACE INTO projects VALUES (?, ?)",
                (project.name, orjson.dumps(asdict(project)).decode()),
            )
            self._storage.connection.execute(
                "DELETE FROM exported WHERE project = ?", (project.name,)
            )

    def find(self, name: str) -> Project | None:
        """The project of this name, if there is one."""
        found = self._storage.connection.execute(
            "SELECT body FROM projects WHERE name = ?", (name,)
        ).fetchone()
        return None if found is None else parse_project(orjson.loads(found[0]))

    def names(self) -> Iterator[str]:
        """The names of all projects."""
        for (name,) in self._storage.connection.execute("SELECT name FROM projects ORDER BY name"):
            yield str(name)

    # ------------------------------------------------------------------------ tracking

    def track(self, entity: Entity, mode: Tracking | None) -> None:
        """Switch change tracking on or off; what was exported so far is forgotten."""
        execute = self._storage.connection.execute
        with self._storage.transaction():
            execute("DELETE FROM tracked WHERE entity = ?", (entity.set_name,))
            execute("DELETE FROM exported WHERE entity = ?", (entity.set_name,))
            if mode is not None:
                execute("INSERT INTO tracked VALUES (?, ?)", (entity.set_name, mode.value))

    def tracking(self, entity: Entity) -> Tracking | None:
        """How the changes of an entity are tracked, None if they are not."""
        found = self._storage.connection.execute(
            "SELECT mode FROM tracked WHERE entity = ?", (entity.set_name,)
        ).fetchone()
        return None if found is None else Tracking(found[0])

    # ------------------------------------------------------------------------ progress

    def exported(self, project: str, entity: Entity, company: str) -> int:
        """Up to which change a project has exported an entity; 0 for nothing yet."""
        found = self._storage.connection.execute(
            "SELECT change FROM exported WHERE project = ? AND entity = ? AND company = ?",
            (project, entity.set_name, company),
        ).fetchone()
        return 0 if found is None else int(found[0])

    def set_exported(self, project: str, entity: Entity, company: str, change: int) -> None:
        """Remember it; part of the running transaction."""
        self._storage.connection.execute(
            "INSERT OR REPLACE INTO exported VALUES (?, ?, ?, ?)",
            (project, entity.set_name, company, change),
        )

    def clear(self) -> None:
        """Without projects and tracking; part of the running transaction."""
        for table in ("projects", "tracked", "exported"):
            self._storage.connection.execute(f"DELETE FROM {table}")
