"""The way between one process and a system, where everything may go wrong.

Owns: the faults of a call: what takes effect, what is answered, and what is heard of it.
Never does: deciding when; it asks the chaos of the world it is in.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta

from connector.endpoints.base import (
    Applied,
    Create,
    Entity,
    Found,
    Identity,
    Operation,
    Outcome,
    Pace,
    Page,
    Rejected,
    Row,
    Stale,
    Throttling,
    Transient,
    Unknown,
)
from connector.errors import UnreachableError
from connector.mapping.values import Value
from tests.simulation.maps import CURRENCIES
from tests.simulation.process import Process
from tests.simulation.systems import US, System


class Wire:
    """One system as one process reaches it; `ahead` is how far its clock was seen ahead of ours."""

    def __init__(self, system: System, process: Process, ahead: float) -> None:
        self.system = system
        self.process = process
        self.name = system.side.value
        self.ahead = timedelta(seconds=ahead)
        self.looked: dict[str, int] = {}
        """By id: where the log ended when this process last asked for the row."""

    def identity(self) -> Identity:
        users = frozenset({US}) if self.system.traits.tells else frozenset[str]()
        return Identity(f"world-{self.name}", self.name, self.ahead, users)

    def describe(self, entity: str) -> Entity:
        return self.system.describe(entity)

    def scan(self, entity: str, columns: Sequence[str], resume: str | None) -> Iterator[Page]:
        if self.system.traits.compares:
            return self._compared_scan(columns, resume)
        return self._scan(columns, resume)

    def _scan(self, columns: Sequence[str], resume: str | None) -> Iterator[Page]:
        after, head = "", len(self.system.log)
        if resume is not None:
            after, _, place = resume.rpartition("@")
            head = int(place)
        while True:
            self._ask("scan")
            page = self.system.scan_page(columns, after, head, self._skipped, self._repeated)
            self._answer("scan", page.rows, page.resume)
            yield self._shuffled(page)
            if page.last:
                return
            after = page.rows[-1].id

    def changes(self, entity: str, columns: Sequence[str], position: str) -> Iterator[Page]:
        if self.system.traits.compares:
            return self._compared(columns, position)
        return self._changes(columns, position)

    def _changes(self, columns: Sequence[str], position: str) -> Iterator[Page]:
        text = position
        while True:
            self._ask("changes")
            page = self.system.feed_page(columns, text, self._repeated)
            self._answer("changes", page.rows, "deleted", page.deleted, page.resume)
            yield self._shuffled(page)
            if page.last:
                return
            text = page.resume or text

    def read(
        self, entity: str, columns: Sequence[str], *, by: str | None, values: Sequence[str]
    ) -> Found:
        self._ask("read")
        if entity == CURRENCIES:
            rows = self.system.read_targets(by, values)
        else:
            rows = self.system.read(columns, by, values)
            self._told(row for found in rows.values() for row in found)
        self._answer("read", by, values, rows)
        return Found(rows)

    def _told(self, rows: Iterable[Row]) -> None:
        """Rows asked for by themselves: they were looked at, and a comparison has to know them."""
        for row in rows:
            self.looked[row.id] = len(self.system.log)
            self.system.compared.note(row.id)

    def _compared_scan(self, columns: Sequence[str], resume: str | None) -> Iterator[Page]:
        compared, names, after = self.system.compared, ",".join(columns), ""
        if resume is None:
            number = compared.begin(names)
        else:
            after, _, text = resume.rpartition("@")
            number = int(text)
        while True:
            self._ask("scan")
            ids = compared.page(compared.kept[number], after)
            rows = [self.system.row(id, columns) for id in ids]
            last = len(ids) < self.system.traits.page
            self._answer("scan", rows, number, last)
            if last:
                yield Page(rows, position=f"{names}#{number}", last=True)
                return
            after = ids[-1]
            yield Page(rows, resume=f"{after}@{number}")

    def _compared(self, columns: Sequence[str], position: str) -> Iterator[Page]:
        """Read the keys of the whole table, and the rows of those that differ."""
        system, compared, names = self.system, self.system.compared, ",".join(columns)
        old = compared.generation(position, names)
        number = compared.begin(names)
        new, after, last = compared.kept[number], "", False
        while not last:
            self._ask("changes")
            ids = compared.page(new, after)
            last = len(ids) < system.traits.page
            differing = [id for id in ids if old.rows.get(id) != new.rows[id]]
            missed = compared.missed(old, new) if last else []
            self._ask("changes again")
            rows = [system.row(id, columns) for id in (*differing, *missed) if id in system.rows]
            # A row that is gone since it was met is left to the next comparison.
            deleted = [id for id in missed if id not in system.rows]
            # Its page may be kept, and the position at its end never come.
            compared.note(*differing)
            self._answer("changes", rows, "deleted", deleted, number)
            text = f"{names}#{number}" if last else None
            yield self._shuffled(Page(rows, deleted, None, text, last))
            after = ids[-1] if ids else after

    def write(
        self, entity: str, columns: Sequence[str], operations: Sequence[Operation]
    ) -> Sequence[Outcome]:
        assert len(operations) <= self.system.traits.batch
        sent = len(self.system.log)
        self._ask("write")
        overtaken = len(self.system.log) > sent
        first = len(self.system.writes)
        outcomes = [self._one(columns, operation) for operation in operations]
        if overtaken:  # by others, while the process was asleep with its request under way
            self.system.late.update(write.at for write in self.system.writes[first:])
        self.process.moment(f"{self.name} has written")
        chaos = self.process.chaos
        if chaos.happens("unreachable"):
            raise UnreachableError("unreachable", f"{self.name} fell silent", remedy="wait")
        if chaos.happens("truncated"):
            kept = chaos.among(len(outcomes))
            lost = [Unknown("the reply ended in the middle")] * (len(outcomes) - kept)
            chaos.tell(self.process.name, f"hears {kept} of {len(outcomes)} outcomes")
            return [*outcomes[:kept], *lost]
        return outcomes

    def id_for(self, entity: str, values: Mapping[str, Value], proposed: str) -> str:
        return self.system.id_for(values, proposed)

    def newer(self, a: str, b: str) -> bool | None:
        return self.system.newer(a, b)

    def throttling(self) -> Throttling:
        return Throttling()

    def pace(self, entity: str) -> Pace:
        return Pace()

    def close(self) -> None:
        return None

    def arrive(
        self, entity: str, columns: Sequence[str], operations: Sequence[Operation]
    ) -> Sequence[Outcome]:
        """A write takes effect while its process is dead or asleep."""
        return [self._late(columns, operation) for operation in operations]

    def _reaches(self, columns: Sequence[str], operation: Operation) -> Outcome:
        if isinstance(operation, Create):
            self.system.compared.note(operation.id)
        outcome = self.system.carry_out(columns, operation, self.looked.get(operation.id))
        if isinstance(outcome, Applied):
            self.system.compared.note(outcome.id)
        return outcome

    def _late(self, columns: Sequence[str], operation: Operation) -> Outcome:
        outcome = self._reaches(columns, operation)
        if isinstance(outcome, Applied):
            self.system.late.add(self.system.writes[-1].at)
        self.process.chaos.tell(self.process.name, f"{self.name} late", operation, outcome)
        return outcome

    def _shuffled(self, page: Page) -> Page:
        """The rows of a page come in any order."""
        chaos = self.process.chaos
        if page.last and len(page.rows) > 1 and chaos.happens("shuffled"):
            at = chaos.among(len(page.rows))
            rows = [*page.rows[at:], *page.rows[:at]]
            return Page(rows, page.deleted, page.resume, page.position, page.last)
        return page

    def _skipped(self, _id: str) -> bool:
        return self.system.traits.feed and self.process.chaos.happens("skipped")

    def _repeated(self, _id: str) -> bool:
        return self.process.chaos.happens("repeated")

    def _ask(self, name: str) -> None:
        self.process.moment(f"{self.name} is asked to {name}")
        if self.process.chaos.happens("unreachable"):
            raise UnreachableError("unreachable", f"{self.name} is down", remedy="wait")

    def _answer(self, name: str, *told: object) -> None:
        self.process.moment(f"{self.name} {name}:", *told)
        if self.process.chaos.happens("truncated"):
            raise UnreachableError("unreachable", f"{self.name} fell silent", remedy="wait")

    def _one(self, columns: Sequence[str], operation: Operation) -> Outcome:
        outcome = self._carried_out(columns, operation)
        self.process.moment(self.name, operation, outcome)
        return outcome

    def _carried_out(self, columns: Sequence[str], operation: Operation) -> Outcome:
        chaos = self.process.chaos
        if chaos.happens("lost before"):
            if chaos.happens("arrives late"):  # nobody waited for it that long
                chaos.later(lambda: self._late(columns, operation))
            return Unknown("the reply was lost")
        if chaos.happens("transient"):
            return Transient("busy", None if chaos.among(2) else float(chaos.among(100)))
        if chaos.happens("rejected"):
            return Rejected("no", "it is not wanted")
        if chaos.happens("stale") and not isinstance(operation, Create):
            return Stale()
        outcome = self._reaches(columns, operation)
        if chaos.happens("sent twice"):
            # Something on the way sent it again, and it is the second reply that came through.
            outcome = self._reaches(columns, operation)
        return Unknown("the reply was lost") if chaos.happens("lost after") else outcome
