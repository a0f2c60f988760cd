"""A change feed made by comparing what a system holds with what it held.

Owns: generations, each what a whole reading of the table told; what differs between two of them.
Never does: chance; whoever reads asks page by page, and anything may happen in between.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from connector.errors import PositionExpiredError

if TYPE_CHECKING:
    from tests.simulation.systems import System


@dataclass
class Generation:
    """Versions by id, as they were read; what was told or written besides from `noted` on."""

    columns: str
    noted: int
    rows: dict[str, str] = field(default_factory=dict)


class Compared:
    """The generations of one system; those a position names are kept for ever."""

    def __init__(self, system: System) -> None:
        self.system = system
        self.kept: list[Generation] = []
        self.noted: list[str] = []
        """Ids told or written outside of scans and looks: a row may come and go between two."""

    def begin(self, columns: str) -> int:
        """A new generation; its number."""
        self.kept.append(Generation(columns, len(self.noted)))
        return len(self.kept) - 1

    def note(self, *ids: str) -> None:
        """Rows that somebody was told of."""
        self.noted.extend(ids)

    def generation(self, text: str, columns: str) -> Generation:
        """The one a position names; raises where that has expired."""
        names, _, number = text.rpartition("#")
        if names != columns or not number.isdecimal() or int(number) >= len(self.kept):
            raise PositionExpiredError("position-expired", "no such generation", remedy="scan")
        return self.kept[int(number)]

    def page(self, into: Generation, after: str) -> list[str]:
        """Read one page of the table into a generation; its ids."""
        rows = self.system.rows
        ids = [id for id in sorted(rows) if id > after][: self.system.traits.page]
        into.rows.update({id: self.system.version(rows[id]) for id in ids})
        return ids

    def missed(self, old: Generation, new: Generation) -> list[str]:
        """Rows that were there, or were told of since, and were not met this time."""
        return sorted({*old.rows, *self.noted[old.noted :]} - new.rows.keys())
