"""One simulated world: two systems, people, one store, and processes that come and go.

Owns: chance, time and the trace; the chaos phase and the quiet phase of one seed.
Never does: judging the outcome; `verdict.py` does.
"""

from __future__ import annotations

import functools
import hashlib
import itertools
from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Any, cast

from connector.endpoints.base import Endpoint, Entity
from connector.engine.cycle import sync
from connector.engine.decide import Choice, decide
from connector.engine.load import load
from connector.engine.ports import Ports
from connector.engine.rehearse import DryRun, rehearse
from connector.engine.run import MapRun, running
from connector.engine.verify import Verdict, repair, verify
from connector.errors import DualWriteError
from connector.mapping.compiled import CompiledMap
from connector.mapping.compiler import compile_map
from connector.mapping.document import parse_document
from connector.mapping.values import Side
from connector.store.base import Store
from connector.store.sql_store import SqlStore
from tests.simulation.people import People
from tests.simulation.plan_of_seed import KEYS, Plan, columns
from tests.simulation.stores import Stores
from tests.simulation.systems import System
from tests.simulation.wire import Killed, MortalStore, Process, Sender, Task, Wire

BEGIN = 1_800_000_000.0
EXPECTED = frozenset(
    {
        "unreachable",
        "position-expired",
        "lease-lost",
        "lease-held",
        "delete-guard",
        "read-back-incomplete",
    }
)
"""Errors a run may end with when the world is rough; any other one fails the seed."""
ARRIVAL = 0.05
"""How likely at each moment a request of a dead process arrives, if one is under way."""
ROUNDS = 12
"""Runs after which a quiet world has to be at rest."""

_document = functools.cache(parse_document)


class World:
    """Everything one seed drives. `chaos` and `quiet` are its two phases."""

    def __init__(self, seed: int, stores: Stores, plan: Plan | None = None) -> None:
        self.seed = seed
        self.stores = stores
        self.random = Random(seed)
        self.plan = plan or Plan.of(self.random)
        self.clock = [BEGIN]
        self.systems = {
            side: System(side, columns(side), KEYS[side], self.plan.traits[side], self.clock)
            for side in Side
        }
        self.people = People(self.random, self.plan, self.systems)
        self.trace: list[str] = []
        self.calm = True
        """No faults, nobody at work."""
        self.script: Callable[[Process, str], None] = lambda _process, _name: None
        """What a named scenario wants to happen at a moment."""
        self.crashes = 0
        self.under_way: list[Task] = []
        """What dead processes sent and no system has received yet."""
        self.processes: dict[str, Process] = {}
        self._ids = itertools.count(1)
        self._idle: list[SqlStore] = []
        """Stores of processes that ended well; a crash leaves none."""
        self.stores.begin(lambda: self.clock[0])

    # ------------------------------------------------------------------ chance and time

    def tell(self, text: str) -> None:
        self.trace.append(text)

    def fingerprint(self) -> str:
        """Equal for equal traces."""
        return hashlib.sha256("\n".join(self.trace).encode()).hexdigest()

    def happens(self, fault: str) -> bool:
        rate = 0.0 if self.calm else self.plan.rates[fault]
        return rate > 0 and self.random.random() < rate

    def among(self, count: int) -> int:
        return self.random.randrange(count)

    def moment(self, process: Process, name: str) -> None:
        self.clock[0] += 0.01
        self.tell(f"{process.name} {name}")
        self.script(process, name)
        if self.under_way and self.random.random() < ARRIVAL:
            self.under_way.pop(0).late()
        if self.happens("clock"):
            self.clock[0] += self.random.choice([3, 60, 400])
        if self.happens("people"):
            self.tell(self.people.act())
        if self.happens("forgotten"):
            self.systems[self.random.choice(list(Side))].forget()
        if process.depth == 0 and self.happens("takeover"):
            self.tell(f"{process.name} stalls")
            self.clock[0] += 400
            self.command("sync", self.sync, depth=1)
        if self.happens("crash"):
            self.kill(process)

    def kill(self, process: Process) -> None:
        """The process dies here; what it sent may or may not arrive."""
        self.crashes += 1
        self.tell(f"{process.name} dies")
        process.dead = True
        for task in process.tasks:
            if self.happens("arrives late"):
                self.under_way.append(task)
        process.die()

    # ------------------------------------------------------------------ processes

    def close(self) -> None:
        """Release what is open."""
        while self._idle:
            self._idle.pop().close()

    def compiled(self) -> tuple[CompiledMap, dict[Side, Entity]]:
        """The map as a process compiles it."""
        document = _document(self.plan.text)
        entities = {side: self.systems[side].describe(document.end(side).entity) for side in Side}
        commerce, dataverse = (entities[side].columns for side in Side)
        return compile_map(document, commerce, dataverse, lambda _name: {}), entities

    def ports(self, process: Process, store: SqlStore) -> Ports:
        """What a process is handed."""

        def sleep(seconds: float) -> None:
            self.clock[0] += seconds

        return Ports(
            store=cast(Store, MortalStore(store, process)),
            endpoints={
                side: cast(Endpoint, Wire(system, process)) for side, system in self.systems.items()
            },
            clock=lambda: self.clock[0],
            monotonic=lambda: self.clock[0],
            sleep=sleep,
            random=self.random.random,
            new_id=lambda: f"u{self.random.randrange(100):02}-{next(self._ids)}",
            executor=Sender(process),
            holder=process.name,
            gone=lambda holder: self.processes[holder].dead,
        )

    def command(self, name: str, work: Callable[[Ports], Any], depth: int = 0) -> Any:
        """One process does one thing, ends in an error of the rough world, or dies."""
        process = Process(f"p{len(self.processes)}", self, depth)
        self.processes[process.name] = process
        self.tell(f"{process.name} {name}")
        store = self._idle.pop() if self._idle else self.stores.open()
        killed = False
        try:
            answer = work(self.ports(process, store))
        except Killed:
            answer, killed = None, True
        except DualWriteError as error:
            self.tell(f"{process.name} ends: {error.code}")
            if error.code in {"map-loaded", "map-not-loaded"}:
                return None  # another process was faster
            if error.code not in EXPECTED:
                raise
            answer = None
        finally:
            process.dead = True
            if killed:
                store.close()
            else:
                self._idle.append(store)
        return answer

    def run(
        self, ports: Ports, name: str, work: Callable[[MapRun], Any], held: bool = False
    ) -> Any:
        """Some work under the lease."""
        map, entities = self.compiled()
        with running(name, map, entities, ports, self.plan.tuning, held=held) as run:
            return work(run)

    # ------------------------------------------------------------------ commands

    def sync(self, ports: Ports) -> bool:
        """`load` until that is done, then `sync`, with a person who lets a stopped map go on."""
        row = ports.store.map_row("card")
        if row is not None and row.stopped is not None:
            self.run(ports, "resume", self._resume, held=True)
        if row is None or row.loaded_at is None:
            return bool(self.run(ports, "load", load).finished)
        return bool(self.run(ports, "sync", sync).finished)

    def _resume(self, run: MapRun) -> None:
        row = run.store.map_row(run.map.name)
        assert row is not None
        work = run.work()
        allowed = 1000 if self.calm else self.random.randrange(3)
        work.map = replace(row, stopped=None, allowed_deletes=allowed)
        run.commit(work)

    def verify(self, ports: Ports) -> Verdict:
        """Compare both sides."""
        return verify(self.compiled()[0], ports)

    def repair(self, ports: Ports) -> None:
        """Compare both sides and settle what differs."""
        found = self.verify(ports).findings
        self.run(ports, "repair", lambda run: repair(run, found), held=True)

    def again(self, ports: Ports) -> None:
        """Compare every row anew."""
        self.run(ports, "load", lambda run: load(run, again=True), held=True)

    def decide(self, ports: Ports) -> None:
        """A person decides the conflicts there are."""

        def work(run: MapRun) -> None:
            open_ones = run.store.open_conflicts(run.map.name, 0, 100)
            winner = self.random.choice(list(Side))
            decide(run, open_ones, Choice("person", winner), lambda _refusal: None)

        self.run(ports, "resolve", work, held=True)

    def rehearse(self, ports: Ports) -> None:
        """A dry run."""
        map, entities = self.compiled()
        rehearse(DryRun(map, entities, ports, self.plan.tuning), None)

    # ------------------------------------------------------------------ the two phases

    def chaos(self) -> None:
        """People work, runs come and go, everything goes wrong at the seed's rates."""
        for _ in range(self.plan.cards):
            for side in Side:
                self.tell(self.people.create(side, self.people.key()))
        self.people.acts += 2 * self.plan.cards
        self.calm = False
        rarely = {
            "verify": self.verify,
            "repair": self.repair,
            "again": self.again,
            "decide": self.decide,
            "rehearse": self.rehearse,
        }
        for _ in range(self.plan.steps):
            for _ in range(self.random.randrange(5)):
                self.tell(self.people.act())
            self.clock[0] += self.random.choice([1, 30, 700])
            if self.random.random() < 0.3 and self.processes:
                name = self.random.choice(list(rarely))
                self.command(name, rarely[name])
            self.command("sync", self.sync)
        while self.under_way:
            self.under_way.pop(0).late()
        self.calm = True

    def quiet(self) -> int:
        """No faults, nobody at work: how many runs it took to come to rest."""
        for round in range(1, ROUNDS + 1):
            self.clock[0] += 1000
            # A scan that was cut short goes on first; without a feed only the next one is whole.
            if self.command("sync", self.sync) and round > 1:
                return round
        raise AssertionError(f"not at rest after {ROUNDS} runs")
