"""One run over one map: who works it, under which lease, and what came of it.

Owns: the lease, the run row, number sequences, identities, counts.
Never does: deciding anything about a record; beginning and ending itself (`running.py`).
Tested in: tests/integration/engine/.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from dataclasses import replace
from typing import Any, TypeVar

from connector.endpoints.base import Endpoint, Entity, Identity
from connector.engine.faults import handling_of_error
from connector.engine.news.witness import Witness
from connector.engine.owners import owned
from connector.engine.ports import Ports, Tuning
from connector.engine.runs.attended import Attended
from connector.engine.runs.pacing import Pacer
from connector.engine.runs.tenure import Tenure
from connector.engine.runs.watch import Watch, count
from connector.engine.settle import Reply
from connector.errors import (
    DualWriteError,
    IdentityChangedError,
    LeaseHeldError,
    MapStoppedError,
    Problem,
    StateError,
    Subject,
)
from connector.mapping.compiling.compiled import CompiledMap
from connector.mapping.values import Side
from connector.store.record import Layout, Presence, Record
from connector.store.work import Change, ChangeKind, Lease, Work, World

T = TypeVar("T")
_BLOCK = 10_000
_TOLD = {"parked": "parked", "conflict": "conflicts"}
"""Incidents a run counts among what it did, by their kind."""


class MapRun:
    """Everything one command holds while it works one map. Made by `running`."""

    keeps = True
    """Whether it may leave anything in the store."""

    def __init__(
        self,
        map: CompiledMap,
        entities: dict[Side, Entity],
        ports: Ports,
        tuning: Tuning,
        identities: dict[Side, Identity] | None = None,
    ) -> None:
        self.map = owned(map, ports.endpoints[Side.DATAVERSE])
        self.entities = entities
        self.ports = self._attending(ports)
        self.sides = ports.endpoints
        """As they are: for work the executor carries out."""
        self.store = ports.store
        self.guard = tuning.guard
        self.retry = tuning.retry
        self.limits = tuning.limits
        self.counts: Counter[str] = Counter()
        self.watch = Watch(map.document, ports, tuning.alerts)
        self._throttled = {side: ports.endpoints[side].throttling() for side in Side}
        self._waited = dict.fromkeys(Side, 0.0)
        self.pacer = Pacer(map, entities, ports)
        self.until: float | None = None
        """When this run has to be over, on our monotonic clock."""
        self.number = 0
        """0 before it is on record."""
        self._begin: Callable[[], int] | None = None
        """Puts a run on record that began without."""
        self.layout = layout_of(map, ports, keep=self.keeps)
        self.identities = identities or {side: ports.endpoints[side].identity() for side in Side}
        self.worlds = {side: self._world(side, self.identities[side]) for side in Side}
        self.whole: set[Side] = set()
        """Sides of which every row was seen once: only there a key that is not known is free."""
        self.looked: set[Side] = set()
        """Sides this run has looked at: they did not go back in time unnoticed before it wrote."""
        self.unread: set[Side] = set()
        """Sides whose table has to be read anew before this run may end."""
        self.reading: set[Side] = set()
        """Sides whose table is being read whole."""
        self._free: dict[str, tuple[int, int]] = {}
        self._tenure = Tenure(map.name, ports, tuning.limits)
        self.asked = frozenset(s for s in Side if entities[s].capabilities.ids != "chosen")
        """Sides that are asked for each row we made: a feed that compares may never tell of it."""
        self.newest: dict[Side, tuple[str | None, str | None]] = {}
        """Id and version of the newest row of a side that this run read or wrote."""

    # ------------------------------------------------------------------ sides

    def endpoint(self, side: Side) -> Endpoint:
        """The endpoint of one side."""
        return self.ports.endpoints[side]

    def _world(self, side: Side, identity: Identity) -> World:
        system = self.map.document.system(side)
        known = self.store.world(system)
        if known is None:
            return World(system, identity.world, identity.title)
        if known.identity != identity.world:
            raise IdentityChangedError(
                "identity-changed",
                f"{system} is another system than the one this state belongs to",
                subject=Subject(map=self.map.name, side=side.value),
                tried=f"compare its identity {identity.world} ({identity.title})",
                cause=f"the state was built against {known.identity} ({known.title})",
                remedy="point the config back at the old system; where it was moved or copied on "
                f"purpose, `dualwrite state rebind {system}` goes on with the new one",
            )
        return known

    def begin_epoch(self, side: Side) -> None:
        """The side went back in time: its positions and all its versions known so far are void.

        A run of another map may have found out first; then its epoch is joined.
        """
        known = self.worlds[side]
        world = self.ports.store.world(known.side) or known
        if world.epoch == known.epoch:
            world = replace(world, epoch=world.epoch + 1)
            if self.keeps:
                self.hold()
                self.store.bind_world(world)
        self.worlds[side] = world
        self.newest.pop(side, None)
        self.unread.add(side)
        self.tell("epoch", 1)

    def doubt(self, records: Iterable[Record]) -> None:
        """What is known of rows from an older epoch is no base for a plan."""
        epochs = [(side, world.epoch) for side, world in self.worlds.items() if world.epoch > 1]
        for side, epoch in epochs:
            for record in records:
                state = record.side(side)
                if state.presence is Presence.PRESENT and state.epoch < epoch:
                    state.presence = Presence.UNKNOWN

    def witness(self, side: Side, tick: int) -> Witness:
        """How news of one side is weighed whose request left at `tick`."""
        identity = self.identities[side]
        return Witness(
            self.map,
            side,
            tick,
            self.now(),
            self.worlds[side].epoch,
            self.endpoint(side).newer,
            identity.users,
            identity.clock_offset.total_seconds(),
            ids=self.entities[side].capabilities.ids,
            unguarded=side in self.unguarded,
        )

    def reply(self) -> Reply:
        """How replies that came just now are weighed."""
        return Reply(
            self.map,
            self.numbers("tick"),
            self.now(),
            {side: world.epoch for side, world in self.worlds.items()},
            {s: identity.clock_offset.total_seconds() for s, identity in self.identities.items()},
            self.retry,
            self.ports.random,
            self.asked,
            self.unguarded,
        )

    @property
    def unguarded(self) -> frozenset[Side]:
        """Sides that take every write, whatever the row holds by then."""
        able = {side: self.entities[side].capabilities for side in Side}
        return frozenset(side for side in Side if able[side].preconditions == "none")

    # ------------------------------------------------------------------ numbers and work

    def now(self) -> float:
        """Seconds since the epoch."""
        return self.ports.clock()

    def numbers(self, name: str, count: int = 1) -> int:
        """The first of `count` numbers of a sequence; blocks are reserved in the store."""
        if name == "change":
            self.on_record()  # the numbers of its audit rows lie after that of the run
        first, left = self._free.get(name, (0, 0))
        if left < count:
            left = max(_BLOCK, count)
            first = self.store.numbers(name, left)
        self._free[name] = (first + count, left - count)
        return first

    def work(self) -> Work:
        """An empty transaction of this run."""
        return Work(self.number, self.now())

    def commit(self, work: Work) -> None:
        """Make it durable under the lease; nothing happens for an empty one."""
        if work:
            self.hold()
            if work.conflicts:
                self.on_record()
            work.run = self.number
            self.store.commit(self.lease, work)
            self.watch.saw(work.incidents)
            for kind, step in _TOLD.items():
                self.tell(step, work.incidents.get(kind, 0))

    def begin(self, start: Callable[[], int], *, unnoticed: bool) -> None:
        """Be on record by the number `start` gives; `unnoticed` only from the first trace on."""
        self._begin = start
        if not unnoticed:
            self.on_record()

    def on_record(self) -> None:
        """Make sure that there is a row of this run."""
        if self._begin is not None:
            self.number, self._begin = self._begin(), None

    def heed(self) -> MapStoppedError | None:
        """Look at the alerts; the error to end with where one holds this map from now on."""
        self._count_throttling()
        why = self.watch.heed(self.lease, self.number)
        return stopped(self.map.name, why) if why is not None else None

    def _count_throttling(self) -> None:
        """Take over what the sides asked us to wait for since this run last looked."""
        for side, before in self._throttled.items():
            now = self.endpoint(side).throttling()
            if now == before:
                continue
            self._throttled[side] = now
            self.tell(f"throttled {side}", now.times - before.times)
            self._waited[side] += now.seconds - before.seconds
            self.counts[f"waited {side}"] = math.ceil(self._waited[side])
            work = self.work()
            count(work.incidents, "throttled", times=now.times - before.times)
            self.commit(work)

    @property
    def lease(self) -> Lease:
        """The lease as last renewed."""
        return self._tenure.lease

    def take(self) -> None:
        """Take the lease and bind sides seen for the first time; raises `LeaseHeldError`."""
        self._tenure.take()
        for world in self.worlds.values():
            if self.store.world(world.side) is None:
                self.store.bind_world(world)
        row = self.store.map_row(self.map.name)
        if row is not None and row.loaded_at is not None:
            # A map may have got columns that were not read of every row yet.
            read = self.store.positions(self.map.name)
            columns = {side: self.map.column_names(side) for side in Side}
            feeds = {side: read.get((side, "feed")) for side in Side}
            self.whole.update(s for s, feed in feeds.items() if feed and feed.columns == columns[s])

    def hold(self) -> None:
        """Renew the lease if need be; raises `LeaseHeldError` (`lease-lost`)."""
        self._tenure.hold()

    def _attending(self, ports: Ports) -> Ports:
        """The ports of a run that may hold a lease: no answer of a side is worth losing it."""
        sides = {side: Attended(one, self.ask) for side, one in ports.endpoints.items()}
        return replace(ports, endpoints=sides)

    def ask(self, question: Callable[[], T]) -> T:
        """What a question to a side answers; a lease this run holds is kept meanwhile."""
        if not self._tenure.held:
            return question()
        return self.wait(self.ports.executor.submit(question))

    def wait(self, future: Future[T]) -> T:
        """The result of something under way, however long it takes: the lease is kept meanwhile."""
        while True:
            self.hold()
            try:
                return future.result(self.limits.margin / 2)
            except TimeoutError:
                if future.done():  # just now, or with a timeout of its own
                    return future.result()
                self.ports.alive()

    def out_of_time(self) -> bool:
        """Whether this run has to end with work left."""
        late = self.until is not None and self.ports.monotonic() >= self.until
        return late or self.ports.stopping()

    def end_if_held(self) -> None:
        """Look at the alerts; raises `MapStoppedError` where one holds this map from now on."""
        held = self.heed()
        if held is not None:
            raise held

    def fail(self, error: BaseException) -> None:
        """Count what ends this run, and tell whoever wants to know."""
        if not isinstance(error, DualWriteError) or isinstance(error, LeaseHeldError | StateError):
            return
        work = self.work()
        kind = handling_of_error(error).incident
        if kind is not None:
            count(work.incidents, kind)
        self.commit(work)
        self.heed()
        if isinstance(error, MapStoppedError):
            self.watch.stopped(error)

    def finish(self, outcome: str, error: Mapping[str, Any] | None = None) -> None:
        """Close the run's row, if it has one."""
        if self.number:
            kept = {**self.counts, **self.pacer.milliseconds()}
            self.store.finish_run(self.number, self.now(), outcome, kept, error)

    def give_back(self) -> None:
        """Give the lease back."""
        self._tenure.give_back()

    def note(
        self, work: Work, record: Record, kind: ChangeKind, side: Side, **about: object
    ) -> Change:
        """Add an audit row that is complete at once."""
        change = Change(self.numbers("change"), record.number, kind, side, **about)  # type: ignore[arg-type]
        work.changes.append(change)
        return change

    def note_parked(self, work: Work, record: Record, problem: Problem) -> None:
        """A record is set aside: its reason goes into the audit, and alerts count it."""
        detail = f"{problem.code}: {problem.message}"
        self.note(work, record, ChangeKind.PARKED, self.map.master, detail=detail)
        count(work.incidents, "parked", problem.code)

    def tell(self, step: str, count: int) -> None:
        """Count something done and report it as progress."""
        if count:
            self.counts[step] += count
            self.ports.progress(step, count)


def layout_of(map: CompiledMap, ports: Ports, *, keep: bool) -> Layout:
    """The layout in which the map's images are kept; `keep` registers a new one."""
    columns = {side: tuple((c.name, c.type) for c in map.columns[side]) for side in Side}
    return ports.store.layout(map.name, columns, keep=keep)


def stopped(map: str, why: Problem) -> MapStoppedError:
    """The error a held map ends a run with."""
    return MapStoppedError(
        why.code, why.message, subject=replace(why.subject, map=map), remedy=why.remedy
    )
