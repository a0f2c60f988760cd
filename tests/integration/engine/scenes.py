"""Standard scenarios for dying at every effect: what was there, and the command that runs.

Owns: small worlds in which one thing is about to happen, each with the command that does it.
Never does: killing; `crashing.py` does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from connector.endpoints.base import Create, Operation, Update
from connector.engine.decisions.again import try_again
from connector.engine.decisions.decide import Choice, Refusal, decide
from connector.engine.decisions.takeback import take_back
from connector.engine.ports import Guard
from connector.engine.retry import Retry
from connector.engine.runs.run import MapRun
from connector.engine.runs.running import running
from connector.mapping.values import Side
from connector.store.record import Record, State
from tests.integration.engine.conftest import map_text
from tests.integration.engine.crashing import CrashBench
from tests.integration.engine.scripted import Fault

C, D = Side.COMMERCE, Side.DATAVERSE


@dataclass(frozen=True)
class Scene:
    """`prepare` makes the world, `command` is killed; `small` ones are killed twice, too."""

    name: str
    prepare: Callable[[CrashBench], None]
    command: Callable[[CrashBench], object] = CrashBench.sync
    text: str = field(default_factory=map_text)
    small: bool = False
    settles: bool = True
    """Whether the sides are equal afterwards and another sync finds nothing."""


@dataclass
class Faults:
    """The next writes that fit meet these faults; part of a system, so that it is put back."""

    kinds: tuple[type[Operation], ...]
    left: list[Fault]

    def __call__(self, operation: Operation) -> Fault | None:
        return self.left.pop(0) if self.left and isinstance(operation, self.kinds) else None


def loaded(bench: CrashBench, cards: int = 2) -> None:
    """So many cards from commerce and one from Dataverse, on both sides."""
    bench.guard = Guard(rows=1000, share=1.0)
    bench.retry = Retry(attempts=12, first=0.0)
    for n in range(1, cards + 1):
        bench.new(C, f"C{n}")
    bench.new(D, "D1")
    assert bench.load().finished


# ---------------------------------------------------------------------------- load and edits


def to_be_loaded(bench: CrashBench) -> None:
    for n in range(1, 6):
        bench.new(C, f"C{n}")
    bench.new(D, "D1")
    bench.new(D, "C1", "theirs")
    bench.edit(D, "C1", level=7)


def load_again(bench: CrashBench) -> object:
    """Compare every row anew; the second time the load goes on."""
    row = bench.open().map_row("card")
    assert row is not None
    return bench.load(again=row.loaded_at is not None)


def drifted_apart(bench: CrashBench) -> None:
    loaded(bench)
    bench.edit(D, "C1", name="edited", note="drift")


def one_edit(bench: CrashBench) -> None:
    loaded(bench, 1)
    bench.edit(C, "C1", Name="edited", Note="new")


def edits_of_one_side(bench: CrashBench) -> None:
    loaded(bench, 3)
    bench.edit(C, "C1", Name="edited", Level=2)
    bench.edit(C, "C2", Active="No")
    bench.edit(C, "D1", Name=None, Note="new")
    bench.new(C, "C9")


def edits_of_both_sides(bench: CrashBench) -> None:
    loaded(bench, 3)
    bench.edit(C, "C1", Level=2)
    bench.edit(D, "C1", name="edited")
    bench.edit(D, "C2", name="theirs", active=False)
    bench.edit(C, "C3", Name="same")
    bench.edit(D, "C3", name="same")
    bench.new(C, "X1")
    bench.new(D, "X2")
    bench.new(C, "X3", "ours")
    bench.new(D, "X3", "theirs")


def contradiction(bench: CrashBench) -> None:
    """Two edits of one value, and one edit beside them."""
    loaded(bench, 1)
    bench.edit(C, "C1", Name="ours")
    bench.edit(D, "C1", name="theirs", level=5)


def expired(bench: CrashBench) -> None:
    """Edits and deletes since a feed that nobody can follow any more."""
    loaded(bench, 3)
    bench.edit(C, "C1", Name="edited")
    bench.edit(D, "C2", level=3)
    bench.delete(C, "C3")
    for endpoint in (bench.commerce, bench.dataverse):
        endpoint.forget_feed()


# ---------------------------------------------------------------------------- decisions


def open_conflict(bench: CrashBench) -> None:
    contradiction(bench)
    bench.sync()
    assert bench.record("C1").state is State.CONFLICT


def decide_all(bench: CrashBench) -> object:
    """Dataverse wins what is open; where nothing is open any more, whatever is due goes on."""
    refused: list[Refusal] = []

    def work(run: MapRun) -> None:
        decide(run, run.store.open_conflicts("card", 0, 100), Choice("anna", D), refused.append)

    bench.run(work, "resolve")
    assert refused == []
    return bench.sync()


def parked(bench: CrashBench) -> None:
    """A write that was refused for good, by a system that is no longer in the mood."""
    loaded(bench, 1)
    bench.edit(C, "C1", Name="edited")
    bench.dataverse.fault = lambda _operation: "rejected"
    bench.sync()
    bench.dataverse.fault = lambda _operation: None
    assert bench.record("C1").state is State.PARKED


def retry_all(bench: CrashBench) -> object:
    """What is parked is tried again; where nothing is any more, whatever is due goes on."""

    def work(run: MapRun) -> None:
        records: Sequence[Record] = run.store.needing(run.layout, [State.PARKED], 0, 100)
        try_again(run, records)

    return bench.run(work, "retry")


# ---------------------------------------------------------------------------- undo


def bad_run(bench: CrashBench) -> None:
    """A sync that created, changed and deleted, on both sides."""
    loaded(bench, 3)
    bench.edit(C, "C1", Name="bad", Level=1)
    bench.edit(D, "C2", name="bad")
    bench.delete(C, "C3")
    bench.new(C, "N1")
    bench.new(D, "N2")
    bench.sync()


def undo_bad_run(bench: CrashBench) -> object:
    """What the last sync wrote is taken back."""
    bad = next(run for run in bench.open().runs("card", 100) if run.command == "sync")
    map, entities = bench.compiled()
    with running("undo", map, entities, bench.ports(), bench.tuning, held=True) as run:
        done = take_back(run, bad, "anna")
    assert done.left_count == 0, done.left
    return done


# ---------------------------------------------------------------------------- deletes


def deletes(bench: CrashBench) -> None:
    """One card goes on each side, another one against a newer edit."""
    loaded(bench, 3)
    bench.delete(C, "C1")
    bench.delete(D, "C2")
    bench.delete(C, "C3")
    bench.edit(D, "C3", name="newer")


def one_delete(bench: CrashBench) -> None:
    loaded(bench, 1)
    bench.delete(C, "C1")


def recreated(bench: CrashBench) -> None:
    """Deleted and made anew under the same key, before anybody looked."""
    loaded(bench)
    bench.delete(C, "C1")
    bench.commerce.put("Cards", "c-C1-anew", Number="C1", Name="anew", Active="Yes")
    bench.delete(D, "D1")
    bench.dataverse.put("cards", "d-D1-anew", number="D1", name="anew", active=True)


# ---------------------------------------------------------------------------- failures, waits


def failing(*faults: Fault) -> Callable[[CrashBench], None]:
    """Creates and updates of both systems meet these faults first."""

    def prepare(bench: CrashBench) -> None:
        loaded(bench)
        bench.edit(C, "C1", Name="edited")
        bench.new(C, "X1")
        bench.edit(D, "C2", name="edited")
        bench.new(D, "X2")
        bench.dataverse.fault = Faults((Create,), list(faults))
        bench.commerce.fault = Faults((Update,), list(faults))

    return prepare


def foreign(ids: Literal["key", "allotted"]) -> Callable[[CrashBench], None]:
    """A commerce side that names no one, whose ids prove nothing, and whose replies get lost."""

    def prepare(bench: CrashBench) -> None:
        bench.commerce.ids, bench.commerce.names_modifiers = ids, False
        loaded(bench)
        bench.edit(D, "C1", name="edited")
        bench.new(D, "X1")
        bench.new(D, "X2")
        bench.delete(D, "C2")
        bench.commerce.fault = Faults((Create, Update), ["lost-after", "lost-before"])

    return prepare


def waiting(bench: CrashBench) -> None:
    """A currency nobody knows, in an edit and in a new card."""
    loaded(bench, 1)
    bench.edit(C, "C1", Currency="EUR", Level=3)
    bench.new(C, "C9")
    bench.edit(C, "C9", Currency="EUR")


def arrived(bench: CrashBench) -> None:
    waiting(bench)
    bench.sync()
    assert bench.record("C1").state is State.WAITING
    bench.dataverse.put("currencies", "id-eur", code="EUR")


POLICIES = ("propagate", "restore", "deactivate", "ignore")
LOOKUP = map_text(lookup=True)
SCENES: Sequence[Scene] = (
    Scene("load", to_be_loaded, CrashBench.load),
    Scene("load again", drifted_apart, load_again),
    Scene("one edit", one_edit, small=True),
    Scene("edits of one side", edits_of_one_side),
    Scene("edits of both sides", edits_of_both_sides),
    *(
        Scene(f"contradiction, {policy} wins", contradiction, text=map_text(conflict=policy))
        for policy in ("commerce", "dataverse", "latest")
    ),
    Scene("contradiction, a person decides", contradiction),
    Scene("decision", open_conflict, decide_all, small=True),
    Scene("undo of a run", bad_run, undo_bad_run, settles=False),
    Scene("expired feeds", expired),
    *(
        Scene(
            f"deletes, {policy}",
            deletes,
            text=map_text(deletes=f"{{commerce: {policy}, dataverse: {policy}}}"),
        )
        for policy in POLICIES
    ),
    Scene("one delete", one_delete, small=True),
    Scene("deleted and made anew", recreated),
    Scene("throttled", failing("transient", "transient")),
    Scene("replies lost before the effect", failing("lost-before")),
    Scene("replies lost after the effect", failing("lost-after")),
    Scene("rows known by their key", foreign("key")),
    Scene("ids that are allotted", foreign("allotted")),
    Scene("failures retried", parked, retry_all, small=True),
    Scene("a reference is missing", waiting, text=LOOKUP),
    Scene("a missing reference arrives", arrived, text=LOOKUP, small=True),
)
