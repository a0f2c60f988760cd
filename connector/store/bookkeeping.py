"""What is kept beside the records: worlds, maps, feed positions and runs.

Owns: the tables `endpoints`, `maps`, `descriptions`, `positions` and `runs`.
Never does: moving a position outside the commit of what it covers.
Tested in: tests/contract/store/.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy import bindparam

from connector.mapping.values import Side
from connector.store import images
from connector.store.database import Database, bound
from connector.store.rows import decode_problem, encode_problem
from connector.store.schema import descriptions, endpoints, maps, positions, runs, sequences
from connector.store.work import MapRow, Position, RunRow, World


class Bookkeeping:
    """Worlds, maps, positions and runs."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._world = sa.select(endpoints).where(endpoints.c.side == bindparam("side"))
        self._bind_world = db.upsert(endpoints)
        self._maps = sa.select(maps).order_by(maps.c.map)
        self._map = sa.select(maps).where(maps.c.map == bindparam("map"))
        self._write_map = db.upsert(maps, "audit_kept_since")  # retention moves that on
        c = descriptions.c
        self._description = sa.select(c.described).where(c.map == bindparam("map"))
        self._describe = db.upsert(descriptions)
        self._positions = sa.select(positions).where(positions.c.map == bindparam("map"))
        self._move = db.upsert(positions)
        self._remove = sa.delete(positions).where(
            *(column == bindparam(column.name) for column in positions.primary_key.columns)
        )
        c, following = runs.c, sa.select(sequences.c.next).where(sequences.c.name == "change")
        self._start_run = (
            sa.insert(runs)
            .values(
                **bound(("command", "map", "fingerprint", "started")),
                first_change=following.scalar_subquery(),
            )
            .returning(c.number)
        )
        self._finish_run = (
            sa.update(runs)
            .where(c.number == bindparam("b_number"))
            .values(bound(("ended", "outcome", "counts", "error")))
        )
        self._run = sa.select(runs).where(c.number == bindparam("number"))
        self._runs = sa.select(runs).order_by(c.number.desc()).limit(bindparam("limit"))
        self._runs_of_map = self._runs.where(c.map == bindparam("map"))

    # ------------------------------------------------------------------------ worlds

    def world(self, side: str) -> World | None:
        """The identity of one system, None before it was bound."""
        row = self._db.row(self._world, side=str(side))
        if row is None:
            return None
        return World(row.side, row.identity, row.title, row.epoch, row.high_version)

    def bind_world(self, world: World) -> None:
        """Remember (or replace) the identity of a system."""
        values = {
            "side": str(world.side),
            "identity": world.identity,
            "title": world.title,
            "epoch": world.epoch,
            "high_version": world.high_version,
        }
        with self._db.transaction() as connection:
            connection.execute(self._bind_world, values)

    # ------------------------------------------------------------------------ maps

    def map_row(self, map: str) -> MapRow | None:
        """One map, None before its first run."""
        row = self._db.row(self._map, map=map)
        return None if row is None else _map_row(row)

    def map_rows(self) -> Sequence[MapRow]:
        """All maps, by name."""
        return [_map_row(row) for row in self._db.rows(self._maps)]

    def write_map(self, connection: sa.Connection, row: MapRow) -> None:
        """Replace what is kept of a map."""
        values = {
            "map": row.map,
            "fingerprint": row.fingerprint,
            "version": row.version,
            "loaded_at": row.loaded_at,
            "stopped": None if row.stopped is None else encode_problem(row.stopped),
            "allowed_deletes": row.allowed_deletes,
            "document": row.document,
        }
        connection.execute(self._write_map, values)

    def described(self, map: str) -> str | None:
        """What was last kept of a map's tables."""
        text: str | None = self._db.scalar(self._description, map=map)
        return text

    def describe(self, connection: sa.Connection, map: str, text: str) -> None:
        """Replace what is kept of a map's tables."""
        connection.execute(self._describe, {"map": map, "described": text})

    # ------------------------------------------------------------------------ positions

    def positions(self, map: str) -> Mapping[tuple[Side, str], Position]:
        """By (side, kind)."""
        rows = self._db.rows(self._positions, map=map)
        return {
            (Side(row.side), row.kind): Position(
                Side(row.side),
                row.kind,
                row.position,
                tuple(orjson.loads(row.columns)),
                row.epoch,
                row.tick,
                row.at,
                row.high_id,
                row.high_version,
            )
            for row in rows
        }

    def write_positions(
        self, connection: sa.Connection, map: str, moved: Sequence[Position]
    ) -> None:
        """Move positions; one without text is removed."""
        for position in moved:
            key = {"map": map, "side": position.side.value, "kind": position.kind}
            if position.text is None:
                connection.execute(self._remove, key)
                continue
            values = {
                **key,
                "position": position.text,
                "columns": images.encode(position.columns),
                "epoch": position.epoch,
                "tick": position.tick,
                "at": position.at,
                "high_id": position.high_id,
                "high_version": position.high_version,
            }
            connection.execute(self._move, values)

    # ------------------------------------------------------------------------ runs

    def start_run(self, command: str, map: str, fingerprint: str, at: float) -> int:
        """Open a run; its number."""
        values = {"command": command, "map": map, "fingerprint": fingerprint, "started": at}
        with self._db.transaction() as connection:
            number: int = connection.execute(self._start_run, values).scalar_one()
        return number

    def finish_run(
        self,
        run: int,
        at: float,
        outcome: str,
        counts: Mapping[str, int],
        error: Mapping[str, Any] | None,
    ) -> None:
        """Close a run with its figures."""
        values = {
            "b_number": run,
            "ended": at,
            "outcome": outcome,
            "counts": images.encode(dict(counts)),
            "error": None if error is None else images.encode(dict(error)),
        }
        with self._db.transaction() as connection:
            connection.execute(self._finish_run, values)

    def runs(self, map: str | None, limit: int) -> Sequence[RunRow]:
        """The newest runs first."""
        if map is None:
            rows = self._db.rows(self._runs, limit=limit)
        else:
            rows = self._db.rows(self._runs_of_map, map=map, limit=limit)
        return [_run_row(row) for row in rows]

    def run_row(self, number: int) -> RunRow | None:
        """One run, None where there is none with this number."""
        row = self._db.row(self._run, number=number)
        return None if row is None else _run_row(row)


def _map_row(row: sa.Row[Any]) -> MapRow:
    stopped = None if row.stopped is None else decode_problem(row.stopped)
    return MapRow(
        row.map,
        row.fingerprint,
        row.version,
        row.loaded_at,
        stopped,
        row.allowed_deletes,
        row.document,
    )


def _run_row(row: sa.Row[Any]) -> RunRow:
    return RunRow(
        row.number,
        row.command,
        row.map,
        row.fingerprint,
        row.started,
        row.ended,
        row.outcome,
        {} if row.counts is None else orjson.loads(row.counts),
        None if row.error is None else orjson.loads(row.error),
        row.first_change,
    )
