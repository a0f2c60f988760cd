"""Taking back what one run wrote, record by record.

Owns: reading what stands there now, sending what `undo.py` plans, and settling it: a row goes back
and the agreed pair with it, in one transaction. Any moment of it may be its last: run again, it
reads first and goes on with what is left.
Never does: planning; touching a row that was changed since; deleting beyond the guard.
Tested in: tests/integration/engine/test_undo.py.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from connector.endpoints.base import Applied, Outcome
from connector.engine.apply import Applier, deletes_left
from connector.engine.batches import Batch, Item
from connector.engine.decisions.undo import Restore, Undo, Undoing, give_back, plan_undo
from connector.engine.news.absorb import Absorbed, reread
from connector.engine.plan import Action, Kind, Write, plan
from connector.engine.proof.rehearse import LISTED, DryRun
from connector.engine.runs.run import MapRun
from connector.engine.settle import stand
from connector.mapping.compiling.compiled import CompiledMap
from connector.mapping.values import Side
from connector.store.record import Presence, Record
from connector.store.work import Change, ChangeRow, RunRow, Work

_WRITTEN = 100_000
"""Numbers asked for at a time: each question walks the run's audit once."""
_DAY = 86_400.0
_TRIES = 5
"""How often a record is read and written anew within one undo."""
_LONGEST_WAIT = 15.0
"""Seconds between two tries; what needs longer is left to the next undo."""


@dataclass(frozen=True, slots=True)
class Left:
    """One side of a record that was not taken back, and why."""

    record: int
    key: str
    side: Side
    reason: str


@dataclass(frozen=True, slots=True)
class Planned:
    """One write that was sent, or in a dry run would be."""

    record: int
    key: str
    write: Write


@dataclass(slots=True)
class Takeback:
    """What an undo did, or would do."""

    records: int = 0
    """Records the run wrote to."""
    counts: Counter[str] = field(default_factory=Counter)
    """Writes that were applied, in a dry run those that would be sent, by kind and side."""
    planned: list[Planned] = field(default_factory=list)
    """The first of the writes that were, or would be, sent."""
    left: list[Left] = field(default_factory=list)
    """The first of them; all are counted."""
    left_count: int = 0
    held_back: Counter[Side] = field(default_factory=Counter)
    """Deletes beyond the guard."""
    finished: bool = True

    def leave(self, left: Left) -> None:
        """Count one that is not taken back, and keep it while there is room."""
        self.left_count += 1
        if len(self.left) < LISTED:
            self.left.append(left)

    def show(self, record: Record, write: Write) -> None:
        """Keep one write to be shown while there is room."""
        if len(self.planned) < LISTED:
            self.planned.append(Planned(record.number, spelled(record), write))


def spelled(record: Record) -> str:
    """The key as a side spells it."""
    return record.commerce.key or record.dataverse.key or record.key


def take_back(run: MapRun, target: RunRow, person: str) -> Takeback:
    """Undo the run `target` under the lease of `run`, page by page; `person` wants it."""
    done = Takeback()
    reader = Reader(run, target, done, person)
    undoer = Undoer(run, done)
    for page in _pages(run, target):
        done.records += len(page)
        _work(run, reader, undoer, page)
        if run.ports.stopping():
            done.finished = False
            break
    done.held_back = undoer.held_back
    for side in Side:
        for kind in Kind:
            applied = run.counts[f"{kind}d {side}"]
            if applied:
                done.counts[f"{kind} {side}"] = applied
    return done


def rehearse_take_back(run: DryRun, target: RunRow) -> Takeback:
    """What `take_back` would do now; nothing is written or kept."""
    done = Takeback()
    reader = Reader(run, target, done, person="")
    for page in _pages(run, target):
        done.records += len(page)
        for record, undoing in reader.read(page):
            for write in [restore.write for restore in undoing.restores]:
                if write is not None:
                    done.counts[f"{write.kind} {write.side}"] += 1
                    done.show(record, write)
    for side in Side:
        over = done.counts[f"{Kind.DELETE} {side}"] - deletes_left(run, side).free
        if over > 0:
            done.held_back[side] = over
    return done


def _work(run: MapRun, reader: Reader, undoer: Undoer, page: Sequence[int]) -> None:
    """Read, plan, send and settle one page, again for what did not go through."""
    pending = page
    for _ in range(_TRIES):
        undoer.send(reader.read(pending))
        pending = sorted(undoer.again)
        if not pending or run.ports.stopping():
            break
        run.ports.sleep(undoer.wait())
    for record in run.store.by_numbers(run.layout, pending).values():
        reader.leave(record, run.map.master, "not done yet; run the undo again")


class _UndoRuns:
    """The runs that were an undo, asked for once each."""

    def __init__(self, run: MapRun) -> None:
        self._run = run
        self._known: dict[int, bool] = {run.number: True}

    def __contains__(self, number: object) -> bool:
        assert isinstance(number, int)
        if number not in self._known:
            row = self._run.store.run_row(number)
            self._known[number] = row is not None and row.command == "undo"
        return self._known[number]


def _pages(run: MapRun, target: RunRow) -> Iterator[Sequence[int]]:
    after = 0
    while numbers := run.store.written_by(target.number, after, _WRITTEN):
        after = numbers[-1]
        for at in range(0, len(numbers), run.limits.page):
            yield numbers[at : at + run.limits.page]


# ---------------------------------------------------------------------------- reading


class Reader:
    """Reads both sides of records and plans them; tells of what is left alone, once each."""

    def __init__(self, run: MapRun, target: RunRow, done: Takeback, person: str) -> None:
        self._run = run
        self._since = target.started - _DAY  # the clock may have been set back since
        self._done = done
        self._told: set[tuple[int, Side]] = set()
        users = {side: identity.users for side, identity in run.identities.items()}
        self._undo = Undo(target.number, run.number, run.map, users, _UndoRuns(run), person)

    def read(self, numbers: Sequence[int]) -> list[tuple[Record, Undoing]]:
        """The records as they are now, each with what is to be done about it."""
        run = self._run
        records = run.store.by_numbers(run.layout, numbers)
        histories = run.store.histories(numbers, self._since)
        news = self._look(list(records.values()))
        planned: list[tuple[Record, Undoing]] = []
        for number in numbers:
            record = records.get(number)
            if record is None:
                text = "the record is not kept any more"
                self._done.leave(Left(number, str(number), run.map.master, text))
                continue
            rows = [*histories.get(number, ()), *news.get(number, ())]
            undoing = plan_undo(record, rows, self._undo)
            for kept in undoing.kept:
                self.leave(record, kept.side, kept.reason)
            planned.append((record, undoing))
        return planned

    def _look(self, records: list[Record]) -> Mapping[int, list[ChangeRow]]:
        """Read both sides; what was seen, by record, as the audit tells it."""
        run = self._run
        found: dict[int, list[ChangeRow]] = {}
        for side in Side:
            if run.keeps:
                run.hold()
            work = reread(run, side, records).seal(run)
            if run.keeps:
                run.commit(work)
            for change in work.changes:
                found.setdefault(change.record, []).append(_row(change, run))
        return found

    def leave(self, record: Record, side: Side, reason: str) -> None:
        """Tell that one side of a record is not taken back."""
        if (record.number, side) not in self._told:
            self._told.add((record.number, side))
            self._done.leave(Left(record.number, spelled(record), side, reason))


def _row(change: Change, run: MapRun) -> ChangeRow:
    return ChangeRow(
        change.number, run.number, run.now(), run.map.name, change.record, change.kind,
        change.side, change.target, change.expected, None, change.before, change.after,
        change.outcome, change.detail,
    )  # fmt: skip


# ---------------------------------------------------------------------------- writing


class Undoer(Applier):
    """Sends what was planned instead of what the map would ask for."""

    def __init__(self, run: MapRun, done: Takeback) -> None:
        super().__init__(run)
        self.again: set[int] = set()
        """Records to be looked at once more."""
        self._done = done
        self._of: dict[int, Undoing] = {}
        self._due = 0.0

    def send(self, undoings: Sequence[tuple[Record, Undoing]]) -> None:
        """Send and settle the writes of one page; the deletes the guard allows."""
        run = self.run
        self.again.clear()
        self._due = run.now()
        absorbed = Absorbed(run.work())
        for record, undoing in undoings:
            if not undoing.restores:
                continue
            self._of[record.number] = undoing
            for restore in undoing.restores:
                if restore.write is None:
                    give_back(record, restore.trail, run.map)
            record.due = run.now()
            absorbed.touch(record)
        self.push(absorbed, self._planned)
        self.drain()
        self._of.clear()

    @property
    def held_back(self) -> Counter[Side]:
        """Deletes the guard did not let through."""
        held = {side: deletes.held_back for side, deletes in self._deletes.items()}
        return Counter({side: count for side, count in held.items() if count})

    def wait(self) -> float:
        """Seconds until what is to be tried again is due, if it is worth waiting for."""
        return min(max(0.0, self._due - self.run.now()), _LONGEST_WAIT)

    def _planned(self, record: Record, map: CompiledMap) -> Action:
        """The undo's writes; what waits or is in conflict stays as it is."""
        action = plan(record, map)
        writes = [r.write for r in self._of[record.number].restores if r.write is not None]
        if any(write.kind is Kind.CREATE for write in writes):
            self.again.add(record.number)  # its row is seen then
        return Action(
            writes=writes,
            waits=action.waits,
            conflicts=action.conflicts,
            problem=record.problem,
            again=True,
        )

    def _restore(self, record: Record, side: Side) -> Restore:
        return next(r for r in self._of[record.number].restores if r.side is side)

    def _intend(
        self, work: Work, side: Side, pairs: Sequence[tuple[Record, Write]]
    ) -> tuple[int, Side, list[Item]]:
        for record, write in pairs:
            self._done.show(record, write)
        return super()._intend(work, side, pairs)

    def _announce(self, record: Record, write: Write, id: str) -> None:
        """A bulk create tells nothing back: its record holds before it leaves what it means."""
        state = record.side(write.side)
        state.presence, state.id, state.version, state.image = Presence.PRESENT, id, None, None
        give_back(record, self._restore(record, write.side).trail, self.run.map)
        record.unconfirmed = True

    def _settle_each(self, work: Work, batch: Batch, outcomes: Sequence[Outcome]) -> None:
        super()._settle_each(work, batch, outcomes)
        run = self.run
        for item, outcome in zip(batch.items, outcomes, strict=True):
            record = item.record
            if isinstance(outcome, Applied):
                give_back(record, self._restore(record, batch.side).trail, run.map)
                record.due = run.now()
                stand(record)
            elif record.problem is None:
                self.again.add(record.number)
                self._due = max(self._due, record.due or 0.0)
            else:
                text = record.problem.message
                self._done.leave(Left(record.number, spelled(record), batch.side, text))

    def _halt(self) -> None:
        """The map is held already; what the guard did not let through is told at the end."""
