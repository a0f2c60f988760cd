"""How fresh each map is, where agents see it: one row per map in Dataverse.

Owns: what such a row says, and that failing to write it is a warning and nothing more.
Never does: making the table (`provision/provisioning.py`); asking a side about a map.
Tested in: tests/unit/operations/test_freshness.py, tests/acceptance/test_points_in_crm.py.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Iterable
from datetime import UTC, datetime
from uuid import UUID, uuid5

from connector.bootstrap import Project
from connector.endpoints.upserting import Upserting
from connector.errors import DualWriteError
from connector.live.seldom import Seldom
from connector.mapping.document import MapDocument
from connector.mapping.values import Value
from connector.operations.standing import FAILING, failure_of, held_state
from connector.store.record import State

EVERY = 60.0
"""Seconds between two rows of one map while it is served."""
TROUBLED = 300.0
"""The same after it failed: nobody's map waits for it more than seldom."""
LATE = 300.0
"""Seconds behind from which on a map is told to be late."""
_LONGEST = 200
"""Characters of a state."""
_NAMESPACE = UUID("0e6c0f7e-2f0a-4b55-8d0b-3f3b9a8f6a51")

_LOG = logging.getLogger("connector.freshness")


def id_of(map: str) -> str:
    """The id of the row of a map, the same wherever it is written from."""
    return str(uuid5(_NAMESPACE, map))


def row_of(project: Project, document: MapDocument) -> dict[str, Value]:
    """What is said of one map, by column; from the state alone."""
    store, now = project.store, project.ports(document).clock()
    row, aside = store.map_row(document.map), store.set_aside(document.map)
    positions = store.positions(document.map)
    read = [positions[side, "feed"].at for side in document.followed if (side, "feed") in positions]
    success = min(read) if len(read) == len(document.followed) else None
    loaded = row is not None and row.loaded_at is not None
    lag = None if success is None or not loaded else max(0.0, now - success)
    run = next(iter(store.runs(document.map, 1)), None)
    if not document.enabled:
        state = "off"
    elif row is not None and row.stopped is not None:
        state = _said(held_state(row.stopped), row.stopped.message)
    elif run is not None and (failure := failure_of(run)) is not None:
        state = _said(FAILING, failure.message)
    elif lag is None:
        state = "not loaded yet"
    elif lag > LATE:
        state = f"{math.ceil(lag / 60)} minutes behind"
    else:
        state = "up to date"
    prefix = project.settings.freshness.table.partition("_")[0]
    told: dict[str, Value] = {
        "map": document.map,
        "title": document.title or document.map,
        "state": state[:_LONGEST],
        "lastsuccess": None if lag is None or success is None else _instant(success),
        "lag": None if lag is None else min(math.ceil(lag), 2**31 - 1),
        "failures": aside[State.PARKED],
        "conflicts": aside[State.CONFLICT],
        "checkedat": _instant(now),
    }
    return {f"{prefix}_{name}": value for name, value in told.items()}


def _said(state: str, why: str) -> str:
    return why if why.startswith(state) else f"{state}: {why}"


def _instant(seconds: float) -> datetime:
    return datetime.fromtimestamp(int(seconds), UTC)


class Freshness:
    """Writes the rows, where the config wants them."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._trouble = Seldom()
        self._next = -math.inf

    def tell(self, documents: Iterable[MapDocument]) -> bool:
        """Write the rows of these maps in one request; whether there is no trouble with it.

        Maps that were switched off get theirs as well, for as long as the state knows of them.
        """
        settings, told = self._project.settings.freshness, list(documents)
        dataverse = self._project.dataverse
        if not settings.enabled or not told or not isinstance(dataverse, Upserting):
            return True
        off = self._project.off.values()
        told += [one for one in off if self._project.store.map_row(one.map) is not None]
        try:
            rows = {id_of(one.map): row_of(self._project, one) for one in told}
            dataverse.upsert(settings.table, rows)
        except DualWriteError as error:
            if self._trouble.due(error.code, self._project.ports(told[0]).monotonic()):
                text = str(error).replace("\n  ", "; ")
                _LOG.warning("how fresh the maps are is not shown in Dataverse: %s", text)
            return False
        self._trouble.over()
        return True

    def keep_telling(self, documents: Iterable[MapDocument], now: float) -> None:
        """The same, at most once a minute; `now` is on the monotonic clock."""
        if now >= self._next and self._project.settings.freshness.enabled:
            self._next = now + (EVERY if self.tell(documents) else TROUBLED)
