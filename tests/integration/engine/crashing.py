"""A command killed at each of its effects, taken up again, and compared with one that lived.

Owns: counting the effects of a command, dying at one of them or at two, and what must be the
same afterwards as if nothing had been.
Never does: making scenarios; `test_crash.py` and `test_crash_twice.py` do.

An effect is anything another process could see: a request as it leaves, each operation a system
carries out, each transaction of the store. Death is tried before each of them and after each
operation; after a transaction is before the next effect, and after the last is the end.
"""

from __future__ import annotations

import contextlib
import copy
import hashlib
import json
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any, cast

from connector.endpoints.base import Create, Delete, Operation
from connector.engine.ports import Ports
from connector.errors import UsageError
from connector.mapping.values import Side
from connector.store.base import Store
from tests.integration.engine.conftest import Bench
from tests.integration.engine.restorable import RestorableState
from tests.integration.engine.scripted import Killed, Moments, MortalStore, ScriptedEndpoint

MOST = 2000
"""No scenario has more effects than this."""


class EveryEffect(MortalStore):
    """A store in which every call that leaves something behind is an effect."""

    TOLD = MortalStore.TOLD | {
        "acquire", "bind_world", "layout", "numbers", "release", "renew",
    }  # fmt: skip


class CrashBench(Bench):
    """A bench over a state that can be put back, in which time stands still.

    Whatever happens twice in the same way leaves the same behind, to the last byte.
    """

    def __init__(self, state: RestorableState, text: str = "") -> None:
        super().__init__(state, text)
        self.began = time.time()
        for side in (self.commerce, self.dataverse):
            side.clock = partial(datetime.fromtimestamp, self.began, UTC)

    def ports(self) -> Ports:
        store = cast(Store, EveryEffect(self.open(), self.moments))
        return replace(super().ports(), store=store, clock=lambda: self.began + self.ahead)


@dataclass(frozen=True)
class Ending:
    """Everything that must not depend on whether a process died on the way."""

    rows: dict[str, Any]
    """What both systems hold, by key."""
    records: dict[str, Any]
    """What the state knows and agreed on, by key; no ids, versions, ticks or times."""
    conflicts: list[Any]
    writes: Counter[tuple[str, ...]]
    """What was done to the systems; equal counts mean that nothing was done twice."""
    edits: Counter[tuple[str, ...]]
    """Edits of people, as the audit tells them."""


class Snapshot:
    """Both systems and the state as they were at one time, to start from again and again."""

    def __init__(self, bench: Bench) -> None:
        bench.close()
        self._bench = bench
        self._sides = copy.deepcopy((bench.commerce, bench.dataverse))
        self._state = bench.state.keep()
        self._ahead = bench.ahead

    def restore(self, moments: Moments) -> None:
        """Everything as it was; the next process dies where `moments` says."""
        bench = self._bench
        bench.close()
        bench.state.restore(self._state)
        bench.commerce, bench.dataverse = copy.deepcopy(self._sides)
        bench.ahead = self._ahead
        bench.reopen(moments)


Command = Callable[[], object]


def crash_everywhere(bench: CrashBench, command: Command, *, settles: bool = True) -> int:
    """Die at each effect of `command`, run it again, compare; how many effects there are.

    `settles` says that the sides are equal afterwards and another sync finds nothing to write.
    Effects after which the next process finds the same are one: it then does the same.
    """
    snapshot, wanted = _undisturbed(bench, command, settles)
    known: set[bytes] = set()
    for effect in range(1, MOST):
        if not _dies(snapshot, bench, command, effect):
            return effect - 1
        if _seen(bench, known):
            continue
        with _told(f"killed at effect {effect}", bench.moments.names):
            bench.reopen()
            _again(command)
            _compare(bench, wanted)
            if settles:
                _at_rest(bench)
    raise AssertionError("the command never came to its end")


def crash_twice(bench: CrashBench, command: Command) -> int:
    """Die at each effect, and at each effect of the run that takes it up; how many pairs."""
    snapshot, wanted = _undisturbed(bench, command, settles=True)
    known_first: set[bytes] = set()
    known: set[bytes] = set()
    pairs = 0
    for first in range(1, MOST):
        if not _dies(snapshot, bench, command, first):
            return pairs
        names = bench.moments.names
        after_first = Snapshot(bench)
        if _seen(bench, known_first):
            continue
        for second in range(1, MOST):
            if not _dies(after_first, bench, partial(_again, command), second):
                break
            pairs += 1
            if _seen(bench, known):
                continue
            with _told(f"killed at effects {first} and {second}", names, bench.moments.names):
                bench.reopen()
                _again(command)
                _compare(bench, wanted)
    raise AssertionError("the command never came to its end")


def _undisturbed(bench: CrashBench, command: Command, settles: bool) -> tuple[Snapshot, Ending]:
    """Where to start from, and how it ends when nobody dies."""
    snapshot = Snapshot(bench)
    snapshot.restore(Moments())
    command()
    wanted = ending(bench)
    explained(bench)
    if settles:
        bad = [finding for finding in bench.verify().findings if finding.verdict == "difference"]
        assert bad == [], f"even without a death the sides differ: {bad}"
        _at_rest(bench)
    return snapshot, wanted


def _dies(snapshot: Snapshot, bench: CrashBench, command: Command, effect: int) -> bool:
    """Run the command until it dies at that effect; False when it has fewer."""
    snapshot.restore(Moments(kill_at=effect))
    with contextlib.suppress(Killed):
        command()
    return bench.moments.dead


def _again(command: Command) -> None:
    """The same command once more, in a new process."""
    with contextlib.suppress(UsageError):  # what was asked for had come to its end
        command()


def _seen(bench: CrashBench, known: set[bytes]) -> bool:
    """Whether a process left the same behind before, but for numbers used up; now it did."""
    connection = sqlite3.connect(bench.path)
    names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY 1")
    tables = [
        connection.execute(f"SELECT * FROM {name}").fetchall()
        for (name,) in names.fetchall()
        if name not in ("leases", "runs", "sequences")
    ]
    connection.close()
    left = repr((tables, [(side.rows, side.log) for side, _ in _tables(bench)]))
    fingerprint = hashlib.sha256(left.encode()).digest()
    before = len(known)
    known.add(fingerprint)
    return len(known) == before


@contextlib.contextmanager
def _told(what: str, *names: list[str]) -> Iterator[None]:
    """A failure says at which death it came."""
    try:
        yield
    except BaseException as error:
        error.add_note(f"{what}: " + ", then ".join(repr(some[-4:]) for some in names))
        raise


# ---------------------------------------------------------------------------- the verdict


def ending(bench: CrashBench) -> Ending:
    """How things stand."""
    commerce, dataverse = bench.commerce, bench.dataverse
    audit = _audit(bench)
    return Ending(
        {side.name: side.by_key(entity) for side, entity in _tables(bench)},
        {key: [_known(record) for record in some] for key, some in bench.records().items()},
        [
            (one.key, one.conflict.group, one.conflict.base, one.conflict.seen)
            for one in bench.open().open_conflicts("card", 0, 1000)
        ],
        Counter(_effect(side, one) for side in (commerce, dataverse) for one in side.written),
        Counter(
            (row["side"], row["target"], row["after"])
            for row in audit["seen"]
            if row["after"] is not None  # of a delete nobody can say whose it was
        ),
    )


def _tables(bench: CrashBench) -> list[tuple[ScriptedEndpoint, str]]:
    return [(bench.commerce, "Cards"), (bench.dataverse, "cards")]


def _known(record: Any) -> tuple[object, ...]:
    sides = [record.side(side) for side in Side]
    return (
        record.ordinal,
        record.state,
        record.due is None,
        record.unconfirmed,
        record.waiting,
        record.problem and record.problem.code,
        [(side.presence, side.image, side.agreed) for side in sides],
    )


def _effect(side: ScriptedEndpoint, operation: Operation) -> tuple[str, ...]:
    kind = type(operation).__name__
    values = "" if isinstance(operation, Delete) else repr(sorted(operation.values.items()))
    # The id of a create is chosen anew where the first choice was never made durable.
    return (side.name, kind, "" if isinstance(operation, Create) else operation.id, values)


def _audit(bench: CrashBench) -> dict[str, list[sqlite3.Row]]:
    """The audit rows by kind."""
    connection = sqlite3.connect(bench.path)
    connection.row_factory = sqlite3.Row
    rows = connection.execute("SELECT * FROM changes ORDER BY number").fetchall()
    connection.close()
    found: dict[str, list[sqlite3.Row]] = {"seen": []}
    for row in rows:
        found.setdefault(row["kind"], []).append(row)
    return found


def _compare(bench: CrashBench, wanted: Ending) -> None:
    """The same end, with every write and every replaced value in the audit."""
    found = ending(bench)
    for part in fields(Ending):
        other, own = getattr(found, part.name), getattr(wanted, part.name)
        assert other == own, f"{part.name}: {_apart(other, own)}"
    explained(bench)


def _at_rest(bench: CrashBench) -> None:
    """Another sync finds nothing to write."""
    before = bench.writes()
    bench.sync()
    assert bench.writes() == before, "a sync without edits wrote something"


def _apart(found: Any, wanted: Any) -> str:
    """Only what differs."""
    if isinstance(wanted, dict):
        keys = [key for key in {**wanted, **found} if wanted.get(key) != found.get(key)]
        return "; ".join(f"{k}: {found.get(k)}, not {wanted.get(k)}" for k in keys)
    return f"{found}, not {wanted}"


def explained(bench: CrashBench) -> None:
    """Every write was announced, every announcement was settled, every old value is kept.

    An append map replaces nothing, and tells of no row.
    """
    audit = _audit(bench)
    if bench.document().appends_to is not None:
        assert not any(audit.values()), "an append map keeps no audit row"
        return
    announced: Counter[tuple[str, str, str]] = Counter()
    kept: set[tuple[str, str, str, str]] = set()
    for kind in ("create", "update", "delete"):
        for row in audit.get(kind, []):
            assert row["outcome"] is not None, f"an intent was left open: {dict(row)}"
            announced[row["side"], kind, _named(bench, row["side"], kind, row["target"])] += 1
            for name, value in json.loads(row["before"] or "{}").items():
                kept.add((row["side"], row["target"], name, str(value)))
    for side, _ in _tables(bench):
        kinds = [(type(one).__name__.lower(), one.id) for one in side.written]
        done = Counter((side.name, k, _named(bench, side.name, k, id)) for k, id in kinds)
        assert done - announced == Counter(), "writes that were never announced"
        for id, column, value in side.replaced:
            place = (side.name, id, column, str(value))
            assert place in kept, f"{place} was replaced and stands nowhere"


def _named(bench: CrashBench, side: str, kind: str, id: str) -> str:
    """The id a write went to; a create on a side that allots them is sent for none."""
    system = bench.commerce if side == bench.commerce.name else bench.dataverse
    return "" if kind == "create" and system.ids == "allotted" else id
