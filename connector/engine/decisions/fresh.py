"""Both sides of some records, as they are right now.

Owns: reading before a person's decision is carried out, so that it is taken about what is there.
Never does: planning or writing to a side; what was read becomes part of the state as always.
Tested in: tests/integration/engine/test_decide.py.
"""

from __future__ import annotations

from collections.abc import Sequence

from connector.engine.news.absorb import reread
from connector.engine.runs.run import MapRun
from connector.mapping.values import Side
from connector.store.record import Presence, Record


def read_anew(run: MapRun, records: Sequence[Record]) -> None:
    """Read the rows of these records on both sides; the records hold what was found."""
    for side in Side:
        _read(run, side, records)


def read_unknown(run: MapRun, records: Sequence[Record]) -> None:
    """Read the sides of these records of which nothing certain is known."""
    for side in Side:
        _read(run, side, [r for r in records if r.side(side).presence is Presence.UNKNOWN])


def _read(run: MapRun, side: Side, records: Sequence[Record]) -> None:
    if records:
        run.hold()
        run.commit(reread(run, side, records).seal(run))
