"""What processes of ours are told to do.

Owns: the commands of the product as the engine offers them, with the person who starts them.
Never does: faults; the ports it works through have them.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from connector.endpoints.base import Entity
from connector.engine.cycle import sync
from connector.engine.decisions.accept import accept
from connector.engine.decisions.again import try_again
from connector.engine.decisions.decide import Choice, decide
from connector.engine.decisions.given import Given
from connector.engine.decisions.takeback import take_back
from connector.engine.load import load
from connector.engine.ports import Ports
from connector.engine.proof.rehearse import DryRun, rehearse
from connector.engine.proof.verify import Verdict, repair, verify
from connector.engine.runs.run import MapRun
from connector.engine.runs.running import running
from connector.engine.runs.watch import held_row
from connector.errors import Problem
from connector.mapping.columns import Column
from connector.mapping.compiling.compiled import CompiledMap
from connector.mapping.compiling.compiler import compile_map
from connector.mapping.document import parse_document
from connector.mapping.values import Side
from connector.store.record import State
from tests.simulation.maps import CODE, CURRENCIES

if TYPE_CHECKING:
    from tests.simulation.world import World

Work = Callable[[Ports], Any]

_document = functools.cache(parse_document)
PAUSED = Problem("map-paused", "somebody paused it", "`dualwrite maps resume card`")


class Commands:
    """The commands of one world."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.decided = False
        """Whether a person chose between two edits, or had a run taken back."""
        self.undoing: int | None = None
        """The run that is being taken back: whoever began that sees it through."""

    def names(self) -> Mapping[Side, Sequence[str]]:
        """The columns of the map, in the order of images."""
        return {side: self.compiled[0].column_names(side) for side in Side}

    def rarely(self) -> Mapping[str, Work]:
        """What people start now and then."""
        return {
            "verify": self.verify,
            "repair": self.repair,
            "again": self.again,
            "decide": self.decide,
            "retry": self.retry,
            "discard": self.discard,
            "rehearse": self.rehearse,
        }

    @functools.cached_property
    def compiled(self) -> tuple[CompiledMap, dict[Side, Entity]]:
        """The map as every process compiles it: text and tables stay what they are."""
        document = _document(self.world.plan.text)
        systems = self.world.systems
        entities = {side: systems[side].describe(document.end(side).entity) for side in Side}
        commerce, dataverse = (entities[side].columns for side in Side)
        return compile_map(document, commerce, dataverse, _lookup_columns), entities

    def run(
        self, ports: Ports, name: str, work: Callable[[MapRun], Any], held: bool = False
    ) -> Any:
        """Some work under the lease."""
        map, entities = self.compiled
        with running(name, map, entities, ports, self.world.plan.tuning, held=held) as run:
            return work(run)

    # ------------------------------------------------------------------ all the time

    def sync(self, ports: Ports) -> bool:
        """`load` until that is done, then `sync`, with a person who lets a stopped map go on.

        In the end a load is followed by a sync at once, which wakes what waits.
        """
        row = ports.store.map_row("card")
        if row is not None and row.stopped is not None and self._lets_go_on(row.stopped):
            if self.undoing is not None:
                self.undo(ports)
            self.run(ports, "resume", self._resume, held=True)
        if row is None or row.loaded_at is None:
            finished = bool(self.run(ports, "load", load).finished)
            if not finished or not self.world.calm:
                return finished
        return bool(self.run(ports, "sync", sync).finished)

    def _lets_go_on(self, stopped: Problem) -> bool:
        """A pause lasts some time; what a guard stopped is looked at before the next run."""
        if stopped.code != PAUSED.code or self.world.calm:
            return True
        return self.world.random.random() < 0.3

    def _resume(self, run: MapRun) -> None:
        row = run.store.map_row(run.map.name)
        assert row is not None
        work = run.work()
        allowed = 1000 if self.world.calm else self.world.random.randrange(3)
        work.map = replace(row, stopped=None, allowed_deletes=allowed)
        run.commit(work)

    # ------------------------------------------------------------------ now and then

    def pause(self, ports: Ports) -> None:
        """A person stops the map for a while."""

        def work(run: MapRun) -> None:
            row = run.store.map_row(run.map.name)
            if row is not None:
                paused = run.work()
                paused.map = replace(row, stopped=PAUSED)
                run.commit(paused)

        self.run(ports, "pause", work, held=True)

    def verify(self, ports: Ports) -> Verdict:
        """Compare both sides."""
        return verify(self.compiled[0], ports)

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
            self.decided = self.decided or bool(open_ones)
            chance = self.world.random
            choice = Choice("person", chance.choice(list(Side)))
            if open_ones and chance.random() < 0.3:  # by value: back to what was agreed
                one, side = chance.choice(open_ones).conflict, chance.choice(list(Side))
                if side in one.base:
                    open_ones = [o for o in open_ones if o.conflict.group == one.group]
                    choice = Choice("person", given=Given(one.group, side, one.base[side]))
                    records = run.store.by_numbers(run.layout, [o.record for o in open_ones])
                    for record in records.values():
                        self.world.people.gave(record.key, one.base[side])
            decide(run, open_ones, choice, lambda _refusal: None)

        self.run(ports, "resolve", work, held=True)

    def retry(self, ports: Ports) -> None:
        """A person has what is parked tried again."""

        def work(run: MapRun) -> None:
            try_again(run, list(run.store.needing(run.layout, [State.PARKED], 0, 100)))

        self.run(ports, "retry", work, held=True)

    def discard(self, ports: Ports) -> None:
        """A person lives with the difference of what is parked, until a side changes."""

        def work(run: MapRun) -> None:
            parked = run.store.needing(run.layout, [State.PARKED], 0, 100)
            accept(run, list(parked), "person")

        self.run(ports, "discard", work, held=True)

    def undo(self, ports: Ports) -> None:
        """A person takes a run back, on a map that is held from then on.

        Who was interrupted takes the same one back again before the map goes on, unless the state
        knows of no such run any more: it was restored.
        """
        store, chance = ports.store, self.world.random
        kept = [run.number for run in store.runs("card", 8) if store.written_by(run.number, 0, 1)]
        if self.undoing not in kept:
            self.undoing = chance.choice(kept) if kept else None
        target = None if self.undoing is None else store.run_row(self.undoing)
        if target is None:
            return

        def work(run: MapRun) -> None:
            row = held_row(store.map_row(run.map.name), run.map.document, PAUSED)
            held = run.work()
            held.map = replace(row, allowed_deletes=1000)
            run.commit(held)
            self.decided = True
            if take_back(run, target, "person").finished:
                self.undoing = None

        self.run(ports, "undo", work, held=True)

    def rehearse(self, ports: Ports) -> None:
        """A dry run."""
        map, entities = self.compiled
        rehearse(DryRun(map, entities, ports, self.world.plan.tuning), None)


def _lookup_columns(name: str) -> Mapping[str, Column]:
    assert name == CURRENCIES
    return {CODE.name: CODE}
