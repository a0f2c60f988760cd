"""One simulated world: two systems, people, one store, and processes that come and go.

Owns: chance, time and the trace; the chaos phase and the quiet phase of one seed.
Never does: what a process is told to do (`commands.py`); judging the outcome (`verdict.py`).
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable
from random import Random
from typing import Any, NamedTuple, cast

from connector.endpoints.base import Endpoint
from connector.engine.ports import Ports
from connector.errors import DualWriteError
from connector.mapping.values import Side, Value
from connector.store.base import Store
from tests.simulation.commands import Commands
from tests.simulation.known import Known
from tests.simulation.maps import KEYS, columns
from tests.simulation.mortal import MortalStore
from tests.simulation.people import People
from tests.simulation.plan_of_seed import Plan
from tests.simulation.process import Killed, Process, Sender
from tests.simulation.stores import Stores
from tests.simulation.systems import System
from tests.simulation.told import Backup
from tests.simulation.trace import Trace
from tests.simulation.wire import Wire

BEGIN = 1_800_000_000.0
EXPECTED = frozenset(
    {
        "unreachable",
        "position-expired",
        "lease-lost",
        "lease-held",
        "delete-guard",
        "map-paused",
        "read-back-incomplete",
        "state-busy",
    }
)
"""Errors a run may end with when the world is rough; any other one fails the seed."""
OVERTAKEN = frozenset({"map-loaded", "map-not-loaded"})
"""Errors that say that another process was faster."""
ARRIVAL = 0.05
"""How likely at each moment a request of a dead process arrives, if one is under way."""
BUSIEST = 300
"""Acts of people after which they work between runs only: long runs make for more of them."""
OUTAGE = 900.0
"""Seconds it takes to restore a side."""
ROUNDS = 12
"""Runs after which a quiet world has to be at rest."""


class Unnoticed(NamedTuple):
    """A side that was restored before a run has found out."""

    ids: frozenset[str]
    """The rows that are remembered with its positions."""
    epoch: int


class World:
    """Everything one seed drives. `chaos` and `quiet` are its two phases."""

    def __init__(self, seed: int, stores: Stores, plan: Plan | None = None) -> None:
        self.seed = seed
        self.stores = stores
        self.random = Random(seed)
        self.plan = plan or Plan.of(self.random, seed)
        self.now = BEGIN
        """The true time."""
        self.skew = dict(self.plan.skew)
        gave_way_to: dict[tuple[str, Value], set[Value]] = {}
        self.systems = {
            side: System(
                side,
                columns(side),
                KEYS[side],
                self.plan.traits[side],
                self.clock_of(side.value),
                gave_way_to,
            )
            for side in Side
        }
        self.commands = Commands(self)
        self.known = Known(self.commands.names())
        self.people = People(self.random, self.plan, self.systems, self.known)
        self.trace = Trace()
        self.calm = True
        """No faults, nobody at work."""
        self.script: Callable[[Process, str], None] | None = None
        """What a named scenario wants to happen at a moment."""
        self.crashes = 0
        self.restores = 0
        self.unnoticed: dict[Side, Unnoticed] = {}
        """Sides that were restored, which no run of ours has seen since."""
        self.under_way: list[Callable[[], object]] = []
        """What was sent, and no system has received yet, though nobody waits for it any more."""
        self.asleep: list[Process] = []
        """Processes that wait, inside a call, until those on top of them have ended."""
        self.processes: dict[str, Process] = {}
        self._rates = {fault: rate for fault, rate in self.plan.rates.items() if rate > 0}
        self._ids = itertools.count(1)
        self.stores.begin(self.clock_of("store"))

    # ------------------------------------------------------------------ chance and time

    def clock_of(self, whose: str) -> Callable[[], float]:
        """The clock on somebody's wall."""
        self.skew.setdefault(whose, 0.0)
        return lambda: self.now + self.skew[whose]

    def tell(self, who: str, what: str, *details: object) -> None:
        """Add to the trace."""
        self.trace.add(self.now - BEGIN, who, what, details)

    def fingerprint(self) -> str:
        """Equal for equal traces."""
        return hashlib.sha256("\n".join(self.trace.lines()).encode()).hexdigest()

    def happens(self, fault: str) -> bool:
        """Whether a fault strikes now."""
        if self.calm or fault not in self._rates:
            return False
        return self.random.random() < self._rates[fault]

    def among(self, count: int) -> int:
        """One of so many, by chance."""
        return self.random.randrange(count) if count > 1 else 0

    def moment(self, process: Process, name: str, *details: object) -> None:
        """A step of a process: anything may happen around it."""
        self.now += 0.01
        self.trace.add(self.now - BEGIN, process.name, name, details)
        if self.script is not None:
            self.script(process, " ".join([name, *map(str, details)]))
        if self.under_way and self.random.random() < ARRIVAL:
            self.under_way.pop(0)()
        if self.calm:
            return
        if process.depth and self.asleep and self.happens("arrives late"):
            self._land(self.asleep[-1])
        if self.happens("clock"):
            self.now += self.random.choice([3, 60, 400])
        if self.happens("clock set"):
            whose = self.random.choice([side.value for side in Side])
            self.skew[whose] = self.random.uniform(-100, 100)
            self.tell(whose, "sets its clock", round(self.skew[whose]))
        if self.people.acts < BUSIEST and self.happens("people"):
            self.tell("people", self.people.act(self.unseen()))
        if self.happens("forgotten"):
            self.systems[self.random.choice(list(Side))].forget()
        if process.depth == 0 and self.happens("takeover"):
            self.suspend(process)
        if self.happens("crash"):
            self.kill(process)

    def suspend(self, process: Process) -> None:
        """The process sleeps in the middle of whatever it does, and another one takes over."""
        self.tell(process.name, "falls asleep")
        self.now += self.random.choice([100, 400, 400, 4000])
        self.asleep.append(process)
        self.command("sync", self.commands.sync, depth=1)
        self.asleep.pop()
        self.tell(process.name, "wakes up")

    def kill(self, process: Process) -> None:
        """The process dies here; what it sent may or may not arrive."""
        self.crashes += 1
        self.tell(process.name, "dies")
        process.dead = True
        for task in process.tasks:
            if task.unwatched is not None and self.happens("arrives late"):
                self.under_way.append(task.unwatched)
        process.die()

    def later(self, work: Callable[[], object]) -> None:
        """Something takes effect at some later time, unheard."""
        self.under_way.append(work)

    def _land(self, process: Process) -> None:
        """Something that a sleeping process sent takes effect meanwhile."""
        sent = [task for task in process.tasks if task.unwatched is not None]
        if sent:
            task = sent[self.among(len(sent))]
            process.tasks.remove(task)
            task.land()

    # ------------------------------------------------------------------ processes

    def ports(self, process: Process) -> Ports:
        """What a process is handed."""

        def sleep(seconds: float) -> None:
            self.now += seconds

        ours = self.random.uniform(-2, 2) if self.skew["store"] else 0.0
        store = MortalStore(self.stores.open(), process, self.known.durable)
        return Ports(
            store=cast(Store, store),
            endpoints={
                side: cast(Endpoint, Wire(system, process, self.skew[side.value] - ours))
                for side, system in self.systems.items()
            },
            clock=lambda: self.now + ours,
            monotonic=lambda: self.now,
            sleep=sleep,
            random=self.random.random,
            new_id=lambda: f"u{self.random.randrange(100):02}-{next(self._ids)}",
            executor=Sender(process),
            holder=process.name,
            gone=lambda holder: self.plan.one_host and self.processes[holder].dead,
        )

    def command(self, name: str, work: Callable[[Ports], Any], depth: int = 0) -> Any:
        """One process does one thing, ends in an error of the rough world, or dies."""
        process = Process(f"p{len(self.processes)}", self, depth)
        self.processes[process.name] = process
        self.tell(process.name, name)
        try:
            return work(self.ports(process))
        except Killed:
            return None
        except DualWriteError as error:
            self.tell(process.name, "ends:", error.code)
            if error.code not in EXPECTED | OVERTAKEN and not self._moved(error):
                raise
            return None
        finally:
            process.dead = True

    def _moved(self, error: DualWriteError) -> bool:
        """Whether a scan met nothing: each row had moved, or the side went back to being empty.

        That looks like a read right that was taken away, and somebody looks at both.
        """
        return error.code == "scan-empty" and bool({"skipped", "side restored"} & set(self._rates))

    # ------------------------------------------------------------------ the two phases

    def chaos(self) -> None:
        """People work, runs come and go, everything goes wrong at the seed's rates."""
        for _ in range(self.plan.cards):
            for side in Side:
                self.tell("people", self.people.create(side, self.people.key()))
        self.people.acts += 2 * self.plan.cards
        self.calm = False
        rarely = self.commands.rarely()
        backups: list[tuple[str, Callable[[], None]]] = []
        for _ in range(self.plan.steps):
            for _ in range(self.random.randrange(5)):
                self.tell("people", self.people.act(self.unseen()))
            self.now += self.random.choice([1, 30, 700])
            if self.random.random() < 0.3 and self.processes:
                name = self.random.choice(list(rarely))
                self.command(name, rarely[name])
            if self.happens("paused"):
                self.command("pause", self.commands.pause)
            if self.plan.undoes and self.random.random() < self.plan.undoes:
                self.command("undo", self.commands.undo)
            self._backups(backups)
            self.command("sync", self.commands.sync)
        while self.under_way:
            self.under_way.pop(0)()
        self.calm = True

    def _backups(self, taken: list[tuple[str, Callable[[], None]]]) -> None:
        """Somebody makes a backup of the state or of a side, or goes back to one."""
        for fault in ("state restored", "side restored"):
            if fault not in self._rates:
                continue
            mine = [restore for name, restore in taken if name == fault]
            if mine and self.happens(fault):
                self.restores += 1
                self.tell("somebody", fault)
                self.random.choice(mine)()
                for system in self.systems.values():
                    system.superseded.clear()
                    system.gave_way_to.clear()
                # A state from before a side was restored cannot know of that.
                both = fault == "side restored"
                taken[:] = [one for one in taken if not both and one[0] != fault]
            elif self.random.random() < 0.5 and not (fault == "state restored" and self.unseen()):
                taken.append((fault, self._backup(fault)))

    def _backup(self, fault: str) -> Callable[[], None]:
        if fault == "state restored":
            state, known = self.stores.backup(), self.known.backup()
            written = {side: len(system.writes) for side, system in self.systems.items()}

            def restore() -> None:
                state()
                known()
                for side, system in self.systems.items():
                    system.unremember(written[side])

            return restore
        # Versions that cannot be ordered tell a restored row from a newer one by being others,
        # which those of the model are not.
        ordered = [system for system in self.systems.values() if system.traits.ordered]
        system = self.random.choice(ordered)
        backup: Backup = system.backup()

        def back() -> None:
            if self._noticeable(system, backup):
                self.now += OUTAGE
                system.restore(backup)
                self.unnoticed[system.side] = self._remembered(system.side)

        return back

    def _remembered(self, side: Side) -> Unnoticed:
        store = self.stores.open()
        positions = store.positions("card")
        kept = [p for kind in ("feed", "scan") if (p := positions.get((side, kind))) is not None]
        known = store.world(side)
        ids = frozenset(p.high_id for p in kept if p.high_id is not None)
        return Unnoticed(ids, known.epoch if known is not None else 0)

    def unseen(self) -> frozenset[str]:
        """Rows by which a run of ours will notice that their side was restored.

        Nobody works on them until then: edited beyond the version that is known they hide it, and
        docs/consistency.md says so.
        """
        if self.unnoticed:
            store = self.stores.open()
            for side, restored in list(self.unnoticed.items()):
                known = store.world(side)
                if known is not None and known.epoch > restored.epoch:
                    del self.unnoticed[side]
        return frozenset[str]().union(*(restored.ids for restored in self.unnoticed.values()))

    def _noticeable(self, system: System, backup: Backup) -> bool:
        """Whether the feed has told of something since the backup.

        What was only written since, by us, is not remembered with the position.
        """
        feed = self.stores.open().positions("card").get((system.side, "feed"))
        if feed is None:
            return True
        return feed.high_version is not None and int(feed.high_version) > len(backup.log)

    def quiet(self) -> int:
        """No faults, nobody at work: how many runs it took to come to rest."""
        if self.plan.fulfilled:
            self.people.fulfil()
        for round in range(1, ROUNDS + 1):
            self.now += 1000
            # A scan that was cut short goes on first; without a feed only the next one is whole.
            if self.command("sync", self.commands.sync) and round > 1:
                return round
        raise AssertionError(f"not at rest after {ROUNDS} runs")
