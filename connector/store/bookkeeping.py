"""What is kept beside the records: worlds, maps, feed positions and runs.

Owns: the tables `endpoints`, `maps`, `positions` and `runs`.
Never does: moving a position outside the commit of what it covers.
Tested in: tests/contract/store/.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
import sqlalchemy as sa

from connector.mapping.values import Side
from connector.store import images
from connector.store.database import Database
from connector.store.rows import decode_problem, encode_problem
from connector.store.schema import endpoints, maps, positions, runs, sequences
from connector.store.work import MapRow, Position, RunRow, World


class Bookkeeping:
    """Worlds, maps, positions and runs."""

    def __init__(self, db: Database) -> None:
        self._db = db

    # ------------------------------------------------------------------------ worlds

    def world(self, side: Side) -> World | None:
        """The identity of one side, None before it was bound."""
        row = self._db.row(sa.select(endpoints).where(endpoints.c.side == side.value))
        if row is None:
            return None
        return World(side, row.identity, row.title, row.epoch, row.high_version)

    def bind_world(self, world: World) -> None:
        """Remember (or replace) the identity of a side."""
        values = {
            "identity": world.identity,
            "title": world.title,
            "epoch": world.epoch,
            "high_version": world.high_version,
        }
        with self._db.transaction() as connection:
            self._upsert(connection, endpoints, {"side": world.side.value}, values)

    # ------------------------------------------------------------------------ maps

    def map_row(self, map: str) -> MapRow | None:
        """One map, None before its first run."""
        row = self._db.row(sa.select(maps).where(maps.c.map == map))
        return None if row is None else _map_row(row)

    def map_rows(self) -> Sequence[MapRow]:
        """All maps, by name."""
        return [_map_row(row) for row in self._db.rows(sa.select(maps).order_by(maps.c.map))]

    def write_map(self, connection: sa.Connection, row: MapRow) -> None:
        """Replace what is kept of a map."""
        values = {
            "fingerprint": row.fingerprint,
            "version": row.version,
            "loaded_at": row.loaded_at,
            "stopped": None if row.stopped is None else encode_problem(row.stopped),
            "allowed_deletes": row.allowed_deletes,
        }
        self._upsert(connection, maps, {"map": row.map}, values)

    # ------------------------------------------------------------------------ positions

    def positions(self, map: str) -> Mapping[tuple[Side, str], Position]:
        """By (side, kind)."""
        rows = self._db.rows(sa.select(positions).where(positions.c.map == map))
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
                of_key = [positions.c[name] == value for name, value in key.items()]
                connection.execute(sa.delete(positions).where(*of_key))
                continue
            values = {
                "position": position.text,
                "columns": images.encode(position.columns),
                "epoch": position.epoch,
                "tick": position.tick,
                "at": position.at,
                "high_id": position.high_id,
                "high_version": position.high_version,
            }
            self._upsert(connection, positions, key, values)

    # ------------------------------------------------------------------------ runs

    def start_run(self, command: str, map: str, fingerprint: str, at: float) -> int:
        """Open a run; its number."""
        following = sa.select(sequences.c.next).where(sequences.c.name == "change")
        insert = sa.insert(runs).values(
            command=command,
            map=map,
            fingerprint=fingerprint,
            started=at,
            first_change=following.scalar_subquery(),
        )
        with self._db.transaction() as connection:
            number: int = connection.execute(insert.returning(runs.c.number)).scalar_one()
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
        with self._db.transaction() as connection:
            connection.execute(
                sa.update(runs)
                .where(runs.c.number == run)
                .values(
                    ended=at,
                    outcome=outcome,
                    counts=images.encode(dict(counts)),
                    error=None if error is None else images.encode(dict(error)),
                )
            )

    def runs(self, map: str | None, limit: int) -> Sequence[RunRow]:
        """The newest runs first."""
        query = sa.select(runs).order_by(runs.c.number.desc()).limit(limit)
        if map is not None:
            query = query.where(runs.c.map == map)
        return [_run_row(row) for row in self._db.rows(query)]

    def run_row(self, number: int) -> RunRow | None:
        """One run, None where there is none with this number."""
        row = self._db.row(sa.select(runs).where(runs.c.number == number))
        return None if row is None else _run_row(row)

    def _upsert(
        self,
        connection: sa.Connection,
        table: sa.Table,
        key: Mapping[str, Any],
        values: Mapping[str, Any],
    ) -> None:
        insert = self._db.dialect.insert(table).values(**key, **values)
        connection.execute(
            insert.on_conflict_do_update(index_elements=list(key), set_=dict(values))
        )


def _map_row(row: sa.Row[Any]) -> MapRow:
    stopped = None if row.stopped is None else decode_problem(row.stopped)
    return MapRow(
        row.map, row.fingerprint, row.version, row.loaded_at, stopped, row.allowed_deletes
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
