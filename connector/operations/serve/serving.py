"""Live mode: each map is worked as soon as there is something to do, until a signal comes.

Owns: the loop of the one thread that works, what it keeps warm between cycles, and what becomes
of an error.
Never does: a cycle (`connector/engine/cycle.py`); HTTP, seats, timing (`connector/live/`).
Tested in: tests/acceptance/test_serve.py.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from connector.backoff import Backoff
from connector.bootstrap import Project
from connector.engine.cycle import Finish, sync
from connector.engine.ports import Ports
from connector.engine.runs.retention import Retention, clear_out
from connector.engine.runs.run import MapRun
from connector.engine.runs.running import Ended, running
from connector.errors import (
    AccessError,
    ConfigError,
    DualWriteError,
    IdentityChangedError,
    LeaseHeldError,
    MapError,
    MapStoppedError,
    Problem,
    StateError,
    Subject,
)
from connector.live.board import Board, Standing
from connector.live.inbox import Inbox, Kind, Wake, event_of
from connector.live.pace import Pace
from connector.live.seats import Seats
from connector.mapping.document import MapDocument
from connector.mapping.values import Side
from connector.operations.outcomes import MapOutcome
from connector.operations.runs.alerting import count_before_run
from connector.operations.runs.freshness import Freshness
from connector.operations.serve.rereading import Rereading
from connector.operations.serve.stations import Station, Warm
from connector.operations.standing import held_state, needs

TURN = 4.0
"""Seconds one map may keep the others, and commands of people, waiting with what is due."""
DRIFT = 300.0
"""Seconds after which metadata and identities of both sides are looked at anew."""
HELD = 1.0
"""Seconds between two looks whether a held or unloaded map was let go; the state alone answers."""
BUSY = 0.25
"""Seconds between two tries for a map that a command works just now."""
NEEDS = 60.0
"""Seconds after which the needs are counted anew, also when nothing seems to have happened."""
LONGEST_REST = 30.0
"""Seconds after which the loop turns at the latest."""
FIRST_WAIT = 1.0
LONGEST_WAIT = 30.0
"""Seconds between two tries of a map that fails: they grow from the first to the longest."""

_NO_NEWS = ("throttled ", "waited ", "purged ")
_HOPELESS = (ConfigError, AccessError, IdentityChangedError)

_LOG = logging.getLogger("connector.live")


class Serving:
    """The loop. `tell` is told each cycle that did something or failed, with its time.

    `learn` is told the tables of all maps, as notices call them, and our own users, whenever
    they were looked at.
    """

    def __init__(
        self,
        project: Project,
        documents: Sequence[MapDocument],
        inbox: Inbox,
        seats: Seats,
        board: Board,
        *,
        tell: Callable[[MapOutcome, float], None],
        learn: Callable[[frozenset[str] | None, frozenset[str]], None],
    ) -> None:
        ports = project.ports(documents[0])
        self._project = project
        self._inbox = inbox
        self._seats = seats
        self._board = board
        self._tell = tell
        self._learn = learn
        self._clock, self._monotonic, self._stopping = ports.clock, ports.monotonic, ports.stopping
        self._worked = False
        days = project.settings.retention
        self._kept = Retention(days.audit_days, days.runs_days, days.tombstones_days)
        serve = project.settings.serve
        self._stations = [
            Station(
                document,
                Pace(
                    serve.poll_min,
                    serve.poll_max,
                    Backoff(FIRST_WAIT, LONGEST_WAIT, ports.random),
                    self._monotonic(),
                ),
            )
            for document in documents
        ]
        self._files = Rereading(project)
        self._freshness = Freshness(project)

    # ------------------------------------------------------------------------ the loop

    def run(self) -> None:
        """Work until a signal comes.

        Raises what nobody can wait out: `ConfigError`, `StateError` but for `state-busy`; wrong
        credentials, rights and identities before anything has worked; and whatever ended a thread
        beside this one.
        """
        while not self._stopping():
            ours = self._ours()
            for station in sorted(ours, key=lambda one: one.pace.due):
                if station.pace.due <= self._monotonic() and not self._stopping():
                    self._turn(station)
                    self._show()
            if not ours:
                for station in self._stations:
                    self._probe(station)
            self._show()
            self._freshness.keep_telling([one.document for one in ours], self._monotonic())
            next_due = min((one.pace.due for one in ours), default=self._monotonic() + LONGEST_REST)
            if not self._stopping():
                self._hear(self._inbox.take(min(next_due - self._monotonic(), LONGEST_REST)))

    def _ours(self) -> list[Station]:
        """The maps this instance has the seats of."""
        held, ours = self._seats.held(), []
        for station in self._stations:
            if station.map in held:
                if not station.ours:
                    station.ours, station.standing = True, Standing.STARTING
                    station.pace.rest(self._monotonic(), 0)
                ours.append(station)
            else:
                self._stand_by(station)
        return ours

    def _stand_by(self, station: Station) -> None:
        """Another instance has its seat, or nobody knows who has."""
        station.ours, station.warm, station.after, station.needs = False, None, None, []
        trouble = self._seats.trouble
        station.problem = None if trouble is None else _problem(trouble)
        if trouble is not None:
            station.standing = Standing.FAILING
        elif station.unfit is not None:
            station.standing, station.problem = Standing.FAILING, station.unfit
        elif self._seats.looked:
            station.standing = Standing.STANDBY

    def _probe(self, station: Station) -> None:
        """Whether this instance could take a map over; whoever only stands by has time to ask."""
        now = self._monotonic()
        if now < station.probed_until or not self._seats.looked or self._stopping():
            return
        station.probed_until, before, station.unfit = now + DRIFT, station.unfit, None
        try:
            for endpoint in self._project.endpoints(station.document).values():
                endpoint.identity()
        except DualWriteError as error:
            if isinstance(error, _HOPELESS) and not self._worked:
                raise
            station.unfit = _problem(error)
            if station.trouble.due(error.code, now):
                _LOG.warning("%s: could not be taken over: %s", station.map, error)
        else:
            self._worked = True
            if before is not None:
                station.trouble.over()
                _LOG.warning("%s: could be taken over again", station.map)

    def _hear(self, wakes: Iterable[Wake]) -> None:
        """What wakes which map. Held and failing ones keep to their own times."""
        now = self._monotonic()
        for wake in wakes:
            if wake.error is not None:
                raise wake.error
            if wake.kind is Kind.FILES:
                self._reread(now)
            for station in self._stations:
                if self._concerns(wake, station):
                    station.pace.wake(now)

    def _reread(self, now: float) -> None:
        """Maps whose files changed are taken over at their next turn."""
        changed = self._files.read([station.document for station in self._stations])
        for station in self._stations:
            if station.map in changed:
                station.pace.wake(now)

    def _concerns(self, wake: Wake, station: Station) -> bool:
        if wake.kind is Kind.NOTICE:
            warm = station.warm
            return warm is None or warm.entities[Side.DATAVERSE].notified_as == wake.what
        # A commit names the side, an event the entity as well; nothing else names either.
        return wake.what in (station.side, event_of(station.side, station.document.commerce.entity))

    # ------------------------------------------------------------------------ one map

    def _turn(self, station: Station) -> None:
        """Work a map unless it is held; whatever fails is of this map alone."""
        try:
            row = self._project.store.map_row(station.map)
            if row is not None and row.stopped is not None:
                self._hold(station, Standing(held_state(row.stopped)), row.stopped)
            elif row is None or row.loaded_at is None:
                self._hold(station, Standing.NEW, _not_loaded(station.map))
            else:
                self._work(station)
            self._count_needs(station)
        except DualWriteError as error:
            if isinstance(error, StateError) and error.code != "state-busy":
                raise
            self._failed(station, error)

    def _hold(self, station: Station, standing: Standing, why: Problem) -> None:
        """Leave a map alone until somebody lets it go; no side is asked meanwhile."""
        if station.standing is not standing or station.problem != why:
            _LOG.warning("%s: %s: %s; %s", station.map, standing, why.message, why.remedy)
            station.counted_at = None
        station.standing, station.problem, station.after = standing, why, None
        station.pace.rest(self._monotonic(), HELD)

    def _work(self, station: Station) -> None:
        outcome = MapOutcome(station.map)
        began, at = self._monotonic(), self._clock()
        try:
            finish = self._cycle(station, outcome)
            self._went_well(station, outcome, finish, began, at)
        except LeaseHeldError as error:
            station.standing, station.after, station.counted_at = Standing.BUSY, None, None
            station.pace.rest(self._monotonic(), BUSY)
            _LOG.debug("%s: %s", station.map, error.cause)
            return
        except DualWriteError as error:
            outcome.error = error
            raise
        finally:
            outcome.seconds = self._monotonic() - began
            if outcome.error is not None or _news(outcome):
                station.counted_at = None
                self._tell(outcome, at)

    def _cycle(self, station: Station, outcome: MapOutcome) -> Finish:
        """One sync of one map, over what is warm."""
        usual = self._project.ports(station.document)
        beat, gone = self._board.beat, _left_behind(usual)
        ports = replace(usual, progress=lambda _s, _n: beat(), alive=beat, patience=0.0, gone=gone)
        run: MapRun | None = None
        after, station.after = station.after, None
        try:
            warm = self._warmed(station)
            for lookup in warm.map.lookups:
                lookup.clear()  # what a lookup finds may be another row by now
            with running(
                "serve",
                warm.map,
                warm.entities,
                ports,
                self._project.tuning,
                identities=warm.identities,
                after=after,
            ) as run:
                finish = sync(run, TURN)
                if not ports.stopping():
                    clear_out(run, self._kept)
            station.after = Ended(run.lease, warm.entities)
            if after is None or run.lease.fencing != after.lease.fencing + 1:
                station.counted_at = None  # somebody was here since
        except DualWriteError as error:
            if run is None:
                count_before_run(self._project, station.document, "serve", error)
            raise
        finally:
            if run is not None:
                outcome.counts = dict(run.counts)
        outcome.finished, outcome.rounds = finish.finished, finish.rounds
        return finish

    def _warmed(self, station: Station) -> Warm:
        now = self._monotonic()
        taken = self._files.take(station.document)
        if taken is not None:
            station.document, station.warm = taken[0], None
        if station.warm is None or station.warm.until <= now:
            map, entities = taken[1:] if taken else self._project.compiled(station.document)
            endpoints = self._project.endpoints(station.document)
            identities = {side: endpoints[side].identity() for side in Side}
            station.warm = Warm(map, entities, identities, now + DRIFT)
            self._teach()
        return station.warm

    def _teach(self) -> None:
        """Who listens for notices learns what they are about.

        All maps have one Dataverse, so its users are known from any of them; its tables are not,
        while a map is held or another instance's.
        """
        warm = [station.warm for station in self._stations if station.warm is not None]
        users = [one.identities[Side.DATAVERSE].users for one in warm]
        tables = filter(None, (one.entities[Side.DATAVERSE].notified_as for one in warm))
        all_known = len(warm) == len(self._stations)
        self._learn(frozenset(tables) if all_known else None, frozenset().union(*users))

    def _went_well(
        self, station: Station, outcome: MapOutcome, finish: Finish, began: float, at: float
    ) -> None:
        now, news = self._monotonic(), _news(outcome)
        if station.failed_at is not None:
            _LOG.warning("%s: works again, after %.0f s", station.map, now - station.failed_at)
            station.trouble.over()
        self._worked = True
        station.standing, station.problem, station.failed_at = Standing.ACTIVE, None, None
        station.read_at = at
        if news:
            station.changed_at = at
        station.pace.worked(began, now, news=news, next_due=self._next_due(station, finish, now))

    def _next_due(self, station: Station, finish: Finish, now: float) -> float | None:
        """When a record has to be tried again, on our monotonic clock."""
        if finish.finished:
            return None
        if finish.cut:
            return now
        due = self._project.store.next_due(station.map)
        return now if due is None else now + (due - self._clock())

    def _failed(self, station: Station, error: DualWriteError) -> None:
        """Keep away from it for a while, or end where waiting is of no use."""
        if isinstance(error, MapStoppedError):
            self._hold(station, Standing(held_state(_problem(error))), _problem(error))
            return
        if isinstance(error, ConfigError) or (isinstance(error, _HOPELESS) and not self._worked):
            raise error
        now = self._monotonic()
        station.standing, station.warm, station.problem = Standing.FAILING, None, _problem(error)
        station.failed_at = station.failed_at or now
        wait = station.pace.failed(now)
        if isinstance(error, MapError):
            wait = LONGEST_WAIT
            station.pace.rest(now, wait)
        told = str(error).replace("\n  ", "; ")
        level = logging.WARNING if station.trouble.due(error.code, now) else logging.DEBUG
        _LOG.log(level, "%s: %s; tried again in %.0f s", station.map, told, wait)

    # ------------------------------------------------------------------------ what is told

    def _count_needs(self, station: Station) -> None:
        now = self._monotonic()
        if station.counted_at is None or now - station.counted_at >= NEEDS:
            station.needs = [need.as_dict() for need in needs(self._project, [station.document])]
            station.counted_at = now

    def _show(self) -> None:
        problem = self._files.problem
        self._board.show(
            [station.health() for station in self._stations],
            None if problem is None else problem.as_dict(),
        )


def _left_behind(ports: Ports) -> Callable[[str], bool]:
    """Whose lease may be taken: a dead one's, and our own, which a run could not give back.

    One thread works all maps of this process. What that run sent may still arrive, conditional as
    after `kill -9`.
    """
    return lambda holder: holder == ports.holder or ports.gone(holder)


def _news(outcome: MapOutcome) -> bool:
    """Whether a cycle met or did anything."""
    return any(not name.startswith(_NO_NEWS) for name, n in outcome.counts.items() if n)


def _problem(error: DualWriteError) -> Problem:
    return Problem(error.code, error.message, error.remedy, error.subject)


def _not_loaded(map: str) -> Problem:
    return Problem(
        "map-not-loaded",
        "this map has not been loaded yet",
        f"run `dualwrite load --map {map}` once; it is served from then on",
        Subject(map=map),
    )
