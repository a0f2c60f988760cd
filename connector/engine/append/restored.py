"""Whether the side that rows are added to went back in time.

Owns: remembering the last row that was added, and looking for it.
Never does: adding the rows that are gone (`source.py` reads the source once more for that).
Tested in: tests/integration/engine/test_append.py.

Nothing of that side is followed, so that a backup that was put back there would leave a hole. A
row that was there and is gone may have been deleted by a person as well: then it comes back.
"""

from __future__ import annotations

from dataclasses import replace

from connector.engine.runs.epochs import IDLE
from connector.engine.runs.run import MapRun
from connector.store.work import Position


def written_mark(run: MapRun, id: str | None) -> Position:
    """The last row that was added, in the place where a followed side has its position."""
    target = run.map.document.followed[0].other
    epoch = run.worlds[target].epoch
    return Position(target, "feed", "added", (), epoch, at=run.now(), high_id=id)


def look_back(run: MapRun) -> None:
    """Have the source read whole where rows that were added may be gone.

    The last one is looked for once in a while, as long as runs come one after the other.
    """
    target = run.map.document.followed[0].other
    mark = run.store.positions(run.map.name).get((target, "feed"))
    if mark is None or mark.high_id is None:
        return
    same_life = mark.epoch == run.worlds[target].epoch
    if same_life and abs(run.now() - mark.at) <= IDLE:
        return
    if same_life and _is_there(run, mark.high_id):
        _remember(run, replace(mark, at=run.now()))
        return
    run.tell("rows gone", 1)
    source = run.map.document.followed[0]
    _remember(run, written_mark(run, None), *(Position(source, k, None) for k in ("scan", "feed")))


def _is_there(run: MapRun, id: str) -> bool:
    target = run.map.document.followed[0].other
    entity, columns = run.map.entity(target), run.map.column_names(target)
    return id in run.endpoint(target).read(entity, columns, by=None, values=[id]).rows


def _remember(run: MapRun, *positions: Position) -> None:
    work = run.work()
    work.positions += positions
    run.commit(work)
