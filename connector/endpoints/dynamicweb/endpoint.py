"""A Dynamicweb shop's database behind the endpoint protocol.

Owns: which entities there are, and how the changes of each are found: transactions by their rising
ids, everything else by comparing the table with the last look.
Never does: knowing a table (`rewards.py`, `members.py`, `transactions.py`).
Tested in: tests/contract/, tests/unit/endpoints/dynamicweb/test_endpoint.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from time import monotonic

from connector.endpoints.base import (
    Entity,
    Found,
    Identity,
    Operation,
    Outcome,
    Pace,
    Page,
    Rejected,
    Row,
    Throttling,
)
from connector.endpoints.dynamicweb.database import Database
from connector.endpoints.dynamicweb.members import MEMBERS, Members
from connector.endpoints.dynamicweb.rewards import BATCH, Rewards
from connector.endpoints.dynamicweb.schema import REWARD, TRANSACTION, tables
from connector.endpoints.dynamicweb.shelves import Reading, Shelf, chunks, folded, id_of
from connector.endpoints.dynamicweb.transactions import Transactions
from connector.endpoints.looks import Detection, Looks
from connector.endpoints.manner import Manner
from connector.endpoints.snapshots import Snapshots, Table, Watermarks, born
from connector.endpoints.subjects import pages_of
from connector.errors import MapError, Subject
from connector.mapping.values import Value

PAGE_ROWS = 5_000
OVERLAP = 1_000
"""Ids below the highest one that are read again: a transaction may be committed after a later
one."""


class DynamicwebEndpoint:
    """One shop; closing the endpoint closes its connections.

    `folder` is where the last look is kept, `sweep` the seconds between two looks for transactions
    that were removed, `every` the seconds between two looks of live mode, `names` the tables that
    are called otherwise.
    """

    def __init__(
        self,
        database: Database,
        *,
        folder: Path,
        sweep: float,
        clock: Callable[[], float],
        manner: Manner = Manner.COMMAND,
        every: float = 60.0,
        names: Mapping[str, str] | None = None,
        page_rows: int = PAGE_ROWS,
    ) -> None:
        self._database = database
        self._page_rows = page_rows
        known = tables(names, database.section)
        self._rewards = Rewards(known)
        self._shelves: dict[str, Shelf] = {
            REWARD: self._rewards,
            MEMBERS: Members(known),
            TRANSACTION: Transactions(known),
        }
        self._snapshots = Snapshots(folder, database.name)
        self._watermarks = Watermarks(self._snapshots, OVERLAP, sweep, clock)
        self._looks = Looks(manner, every, monotonic, self._snapshots)

    def identity(self) -> Identity:
        """The database by its address: it has no id of its own, and names nobody who writes."""
        return Identity(self._database.name, f"Dynamicweb shop {self._database.name}")

    def describe(self, entity: str) -> Entity:
        """The entity as its tables are now."""
        _, shelf = self._shelf(entity)
        with self._database.transaction() as connection:
            return shelf.describe(connection)

    def scan(self, entity: str, columns: Sequence[str], resume: str | None) -> Iterator[Page]:
        """Pages in the order of ids."""
        detection, table = self._detection(entity, columns)
        return pages_of(self._database.side, detection.scan(table, resume))

    def changes(self, entity: str, columns: Sequence[str], position: str) -> Iterator[Page]:
        """Pages of what changed; the table is read whole for it, unless its ids only rise."""
        detection, table = self._detection(entity, columns)
        pages = self._looks.changes(detection, table, position)
        return pages_of(self._database.side, pages)

    def read(
        self, entity: str, columns: Sequence[str], *, by: str | None, values: Sequence[str]
    ) -> Found:
        """Records by id, or by a text column without regard to case and trailing blanks."""
        name, shelf = self._shelf(entity)
        if by is None:
            reading = Reading(self._database, shelf, columns, self._page_rows)
            by_id = {row.id: [row] for row in reading.read(values)}
            return Found({one: by_id[one] for one in values if one in by_id})
        found: dict[str, list[Row]] = {}
        for some in chunks(values):
            with self._database.transaction() as connection:
                for value, row in shelf.find(connection, columns, by, some):
                    found.setdefault(folded(value), []).append(row)
        # A row of a lost create is found by its key, and may be gone before the next look.
        told = [row.id for rows in found.values() for row in rows]
        self._snapshots.note(name, columns, told)
        return Found({one: found[folded(one)] for one in values if folded(one) in found})

    def id_for(self, entity: str, values: Mapping[str, Value], proposed: str) -> str:  # noqa: ARG002
        """What was proposed, which finds no row: the database allots ids."""
        return proposed if id_of(proposed) is None else f"new {proposed}"

    def write(
        self, entity: str, columns: Sequence[str], operations: Sequence[Operation]
    ) -> Sequence[Outcome]:
        """All operations in one transaction; each that is refused is answered for itself."""
        assert len(operations) <= BATCH, "more operations than one call takes"
        name, _ = self._shelf(entity)
        if name != REWARD:
            why = f"{name} is only read here; the shop itself changes it"
            return [Rejected("entity-read-only", why) for _ in operations]
        with self._database.transaction(write=True) as connection:
            outcomes = self._rewards.apply(connection, columns, operations)
        self._snapshots.note(REWARD, columns, born(operations, outcomes))
        return outcomes

    def newer(self, a: str, b: str) -> bool | None:  # noqa: ARG002
        """Digests have no order."""
        return None

    def throttling(self) -> Throttling:
        """A database never asks us to slow down."""
        return Throttling()

    def pace(self, entity: str) -> Pace:  # noqa: ARG002 - all its tables are alike
        """A database takes what it is given."""
        return Pace()

    def close(self) -> None:
        """Close all connections."""
        self._database.close()

    def _shelf(self, entity: str) -> tuple[str, Shelf]:
        for name, shelf in self._shelves.items():
            if name.casefold() == entity.casefold():
                return name, shelf
        raise MapError(
            "entity-unknown",
            f"the shop has no entity `{entity}`",
            remedy=f"use one of: {', '.join(self._shelves)}",
            subject=Subject(side=self._database.side, entity=entity),
        )

    def _detection(
        self, entity: str, columns: Sequence[str]
    ) -> tuple[Detection[Reading], Table[Reading]]:
        """How the changes of an entity are found, and what for."""
        name, shelf = self._shelf(entity)
        reading = Reading(self._database, shelf, columns, self._page_rows)
        detection = self._watermarks if name == TRANSACTION else self._snapshots
        return detection, Table(name, tuple(columns), reading)
