"""How long the past is kept.

Owns: clearing out after a sync: when, how much at a time, and by which dates.
Never does: choosing rows (the store knows what nobody needs).
Tested in: tests/integration/engine/test_retention.py.
"""

from __future__ import annotations

from dataclasses import dataclass

from connector.engine.runs.run import MapRun

MARK = "retention"
"""Under which the store remembers when a map was last cleared out to the end."""
EVERY = 3600.0
"""Seconds between two times."""
PIECE = 1000
"""Rows of each kind in one transaction."""
LONGEST = 2.0
"""Seconds one sync spends on it at most; what is left is the next one's."""
DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class Retention:
    """`[retention]` of the config, in days."""

    audit: float = 400.0
    runs: float = 400.0
    tombstones: float = 30.0


def clear_out(run: MapRun, retention: Retention) -> None:
    """Purge what is older than it need be, in pieces, at most once an hour.

    Ends early after `LONGEST` seconds or at a signal; then the next sync goes on.
    """
    before = run.store.alerted(run.map.name, MARK)
    if before is not None and before > run.now() - EVERY:
        return
    end = run.ports.monotonic() + LONGEST
    while True:
        run.hold()
        now = run.now()
        gone = run.store.purge(
            run.lease,
            now,
            audit_before=now - retention.audit * DAY,
            runs_before=now - retention.runs * DAY,
            tombstones_before=now - retention.tombstones * DAY,
            limit=PIECE,
        )
        for table, rows in gone.items():
            run.tell(f"purged {table}", rows)
        if max(gone.values(), default=0) < PIECE:
            break
        if run.ports.stopping() or run.ports.monotonic() >= end:
            return
    work = run.work()
    work.alerted[MARK] = now
    run.commit(work)
