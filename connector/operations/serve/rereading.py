"""Map files that change while their maps are served.

Owns: which maps go on by another file, and why those do not that cannot.
Never does: marking records; the first run by the new map does (`engine/runs/turnover.py`).
Tested in: tests/acceptance/test_serve_maps.py.

A file that cannot be used is told of in the log and in `/health`, and the map goes on as it was.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

from connector.books import maps_of
from connector.bootstrap import Project
from connector.endpoints.base import Entity
from connector.engine.runs.turnover import columns_read, turn_of
from connector.errors import MapError, Problem, Subject
from connector.mapping.compiling.compiled import CompiledMap
from connector.mapping.document import MapDocument
from connector.mapping.values import Side
from connector.mapping.versions import kept_as

_LOG = logging.getLogger("connector.live")


class Rereading:
    """The map files of a project, read again when they change."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._changed: dict[str, MapDocument] = {}
        self._refused: dict[str, Problem] = {}
        self._files: Problem | None = None

    @property
    def problem(self) -> Problem | None:
        """Why a file that changed is not used; None where all are."""
        return self._files or next(iter(self._refused.values()), None)

    def read(self, served: Sequence[MapDocument]) -> list[str]:
        """Read all files; the names of served maps that changed."""
        self._changed.clear()
        self._refused.clear()
        try:
            found = {document.map: document for document in maps_of(self._project.settings)}
        except MapError as error:
            self._files = Problem.of(error)
            self._tell(self._files)
            return []
        self._files = self._others(found, {document.map for document in served})
        if self._files is not None:
            self._tell(self._files)
        for document in served:
            new = found.get(document.map)
            if new is not None and new.enabled and kept_as(new) != kept_as(document):
                self._changed[document.map] = new
        return list(self._changed)

    def _others(self, found: Mapping[str, MapDocument], served: set[str]) -> Problem | None:
        """What a restart is needed for: maps that came, went, or were switched on or off.

        Where only some maps are served, those left out at the beginning count as known.
        """
        known = {*self._project.documents}
        on = {name for name, document in found.items() if document.enabled}
        told = [f"`{name}` is new or on now" for name in sorted(on - known)]
        told += [f"`{name}` is gone or off now" for name in sorted(served - on)]
        if not told:
            return None
        return Problem(
            "maps-changed",
            f"{', '.join(told)}: what is served is settled when live mode begins",
            "restart `dualwrite serve`; to hold a map at once, `dualwrite maps pause MAP`",
            Subject(field="maps.path"),
            "warning",
        )

    def take(
        self, document: MapDocument
    ) -> tuple[MapDocument, CompiledMap, dict[Side, Entity]] | None:
        """The map as its file says now, joined with the live tables; None where it stays.

        Raises what asking a side raises: then it is taken at a later turn.
        """
        new = self._changed.get(document.map)
        if new is None:
            return None
        try:
            map, entities = self._project.compiled(new)
            row = self._project.store.map_row(document.map)
            if row is not None:
                turn_of(row, map, columns_read(self._project.store, document.map))
        except MapError as error:
            del self._changed[document.map]
            self._refused[document.map] = Problem.of(error)
            self._tell(self._refused[document.map])
            return None
        del self._changed[document.map]
        _LOG.info("%s: goes on by its changed file, version %s", new.map, new.version)
        return new, map, entities

    def _tell(self, problem: Problem) -> None:
        _LOG.warning(
            "changed map files are not used: %s: %s: %s; %s",
            problem.subject,
            problem.code,
            problem.message,
            problem.remedy,
        )
