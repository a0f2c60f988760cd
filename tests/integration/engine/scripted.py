"""Two systems in memory that do what a test tells them to, and a way to die at any moment.

`ScriptedEndpoint` keeps rows, versions and a change log; faults are answered per operation.
`Moments` counts the steps between which the outside differs (before a request or a commit,
after a write) and, at a chosen one, kills the run: from then on nothing the dying run does has
any effect, as after `kill -9`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, TypeAlias

from connector.endpoints.base import (
    Applied,
    Capabilities,
    Column,
    Create,
    Delete,
    Entity,
    Exists,
    Found,
    Identity,
    Key,
    Missing,
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
    Update,
)
from connector.errors import PositionExpiredError, UnreachableError
from connector.mapping.values import Image, Value, normal_key

US = "dualwrite"
SOMEBODY = "somebody"

Fault: TypeAlias = Literal["lost-after", "lost-before", "transient", "rejected"]


class Killed(BaseException):
    """The process is gone; nothing may catch this but the test."""


@dataclass
class Moments:
    """Counts moments; the run dies at number `kill_at`, or where the last ones are `kill_on`."""

    kill_at: int | None = None
    kill_on: Sequence[str] = ()
    count: int = 0
    dead: bool = False
    names: list[str] = field(default_factory=list)

    def pass_by(self, name: str) -> None:
        """One moment at which a process may die."""
        if self.dead:
            raise Killed
        self.count += 1
        self.names.append(name)
        here = self.kill_on and self.names[-len(self.kill_on) :] == list(self.kill_on)
        if self.count == self.kill_at or here:
            self.dead = True
            raise Killed


class Inline(Executor):
    """Runs what is submitted at once, so that a scenario has one order."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001 - it is raised where the result is asked for
            future.set_exception(error)
        return future


class MortalStore:
    """A store whose calls are moments; the dead cannot call it."""

    TOLD = frozenset({"commit", "adopt", "wake", "reopen_intents", "start_run", "finish_run"})

    def __init__(self, store: Any, moments: Moments) -> None:
        self._store = store
        self._moments = moments

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._store, name)

        def call(*args: Any, **kwargs: Any) -> Any:
            if self._moments.dead:
                raise Killed
            if name not in self.TOLD:
                return method(*args, **kwargs)
            self._moments.pass_by(f"before {name}")
            return method(*args, **kwargs)

        return call


@dataclass
class _Row:
    values: dict[str, Value]
    version: int
    modified_at: datetime
    modifier: str


@dataclass(frozen=True)
class Table:
    """What a scripted endpoint holds of one entity."""

    columns: tuple[Column, ...]
    key: str


class ScriptedEndpoint:
    """One system; `sees_creates` False answers creates as a bulk create does, without the row."""

    def __init__(
        self,
        name: str,
        tables: Mapping[str, Table],
        *,
        sees_creates: bool,
        page: int = 3,
        batch: int = 4,
    ) -> None:
        self.name = name
        self.tables = dict(tables)
        self.sees_creates = sees_creates
        self.page = page
        self.batch = batch
        self.world = f"world-{name}"
        self.moments = Moments()
        self.rows: dict[str, dict[str, _Row]] = {entity: {} for entity in tables}
        self.log: list[tuple[str, str]] = []
        """(entity, id) of every change; the place in it is the version."""
        self.throttled = Throttling()
        """What it says it asked for, of slowing down."""
        self.paced: Callable[[], Pace] = Pace
        """How it says it takes writes."""
        self.sizes: list[int] = []
        """Operations of each call of `write`."""
        self.forgotten = 0
        """Positions before this place have expired."""
        self.calls: Counter[str] = Counter()
        self.written: list[Operation] = []
        """Operations that had an effect."""
        self.replaced: list[tuple[str, str, Value]] = []
        """(id, column, value) of what our writes replaced or removed, nulls left out."""
        self.fault: Callable[[Operation], Fault | None] = lambda _operation: None
        self.hidden: Callable[[str], bool] = lambda _id: False
        """Rows a scan and a feed do not show, as a missing permission does."""
        self.unreadable: set[str] = set()
        """Columns that look empty, as without a permission; `describe` says so."""
        self.repeated: set[str] = set()
        """Rows a scan hands out again at its end, as they are then."""
        self.left_out: set[str] = set()
        """Rows a scan does not hand out, because they change meanwhile."""
        self.loses: dict[str, Callable[[Value], Value]] = {}
        self.before_write: Callable[[], None] = lambda: None
        self.down = False
        self.knows_its_end = False
        """Whether it notices a position that is ahead of its log."""
        self.clock: Callable[[], datetime] = lambda: datetime.now(UTC)
        self.ahead = timedelta(0)
        """How far its clock is ahead of ours."""
        self.tells_times = True
        """Whether its rows say when they were changed."""
        self.ids: Literal["chosen", "key", "allotted"] = "chosen"
        self.unique = True
        """Whether it refuses a second row of one key."""
        self.names_modifiers = True
        self.preconditions: Literal["version", "none"] = "version"
        """"none" takes every write: its rows have no versions."""

    # ------------------------------------------------------------------ what people do

    def put(self, entity: str, id: str, **values: Value) -> None:
        """Somebody creates or changes a row."""
        self.change(entity, id, values)

    def change(self, entity: str, id: str, values: Mapping[str, Value], by: str = SOMEBODY) -> None:
        """The same, by anybody."""
        old = self.rows[entity].get(id)
        kept = {**(old.values if old else {}), **self._kept(values)}
        self.log.append((entity, id))
        modified_at = self.clock() + self.ahead
        self.rows[entity][id] = _Row(kept, len(self.log), modified_at, by)

    def drop(self, entity: str, id: str) -> None:
        """Delete a row."""
        del self.rows[entity][id]
        self.log.append((entity, id))

    def by_key(self, entity: str) -> dict[str, dict[str, Value]]:
        """The rows by normalised key; no key twice."""
        key = self.tables[entity].key
        found = {normal_key(row.values[key]) or "": row.values for row in self._all(entity)}
        assert len(found) == len(self.rows[entity]), f"a duplicate in {self.name}"
        return found

    def id_of(self, entity: str, key: str) -> str:
        """The id of the row with this key."""
        column = self.tables[entity].key
        (id,) = [id for id, row in self.rows[entity].items() if row.values[column] == key]
        return id

    def forget_feed(self) -> None:
        """Every position given out so far expires."""
        self.forgotten = len(self.log) + 1
        self.log.append(("", ""))

    def backup(self) -> Callable[[], None]:
        """What the side holds now; calling it restores that, and time goes on from there."""
        rows = {entity: dict(held) for entity, held in self.rows.items()}
        log = list(self.log)

        def restore() -> None:
            self.rows = {entity: dict(held) for entity, held in rows.items()}
            self.log = list(log)

        return restore

    def _all(self, entity: str) -> list[_Row]:
        return list(self.rows[entity].values())

    def _kept(self, values: Mapping[str, Value]) -> dict[str, Value]:
        return {
            name: self.loses[name](value) if name in self.loses else value
            for name, value in values.items()
        }

    # ------------------------------------------------------------------ the protocol

    def identity(self) -> Identity:
        users = frozenset({US}) if self.names_modifiers else frozenset[str]()
        return Identity(self.world, self.name, self.ahead, users)

    def describe(self, entity: str) -> Entity:
        table = self.tables[entity]
        return Entity(
            entity,
            entity,
            "id",
            {c.name: replace(c, readable=c.name not in self.unreadable) for c in table.columns},
            (Key("key", (table.key,)),),
            Capabilities(
                self.preconditions,
                "at-least-once" if self.ids == "allotted" else "once",
                True,
                True,
                True,
                self.batch,
                self.ids,
            ),
        )

    def scan(self, entity: str, columns: Sequence[str], resume: str | None) -> Iterator[Page]:
        after, head = ("", len(self.log)) if resume is None else _place(resume)
        self._reach(head)
        while True:
            self._call("scan")
            there = self.rows[entity].keys() - self.left_out
            ids = sorted(id for id in there if id > after and not self.hidden(id))
            page, rest = ids[: self.page], ids[self.page :]
            rows = [self._row(entity, id, columns) for id in page]
            if not rest:
                rows += [self._row(entity, id, columns) for id in sorted(self.repeated)]
                yield Page(rows, position=_mark(columns, head), last=True)
                return
            after = page[-1]
            yield Page(rows, resume=f"{after}@{head}")

    def changes(self, entity: str, columns: Sequence[str], position: str) -> Iterator[Page]:
        names, _, place = position.rpartition("@")
        since = int(place)
        if names != ",".join(columns):
            raise PositionExpiredError("position-expired", "other columns", remedy="scan")
        self._reach(since)
        while True:
            self._call("changes")
            head = min(len(self.log), since + self.page)
            ids = dict.fromkeys(id for of, id in self.log[since:head] if of == entity)
            shown = [id for id in ids if not self.hidden(id)]
            rows = [self._row(entity, id, columns) for id in shown if id in self.rows[entity]]
            deleted = [id for id in shown if id not in self.rows[entity]]
            last = head == len(self.log)
            text = _mark(columns, head)
            yield Page(rows, deleted, text, text if last else None, last)
            if last:
                return
            since = head

    def read(
        self, entity: str, columns: Sequence[str], *, by: str | None, values: Sequence[str]
    ) -> Found:
        self._call("read")
        found: dict[str, list[Row]] = {}
        for value in values:
            for id, row in self.rows[entity].items():
                if (id if by is None else normal_key(row.values.get(by))) == (
                    value if by is None else normal_key(value)
                ):
                    found.setdefault(value, []).append(self._row(entity, id, columns))
        return Found(found)

    def write(
        self, entity: str, columns: Sequence[str], operations: Sequence[Operation]
    ) -> Sequence[Outcome]:
        assert len(operations) <= self.batch
        self.sizes.append(len(operations))
        self._call("write")
        self.before_write()
        outcomes: list[Outcome] = []
        for operation in operations:
            outcomes.append(self._one(entity, columns, operation))
            self.moments.pass_by(f"{self.name} has written")
        return outcomes

    def id_for(self, entity: str, values: Mapping[str, Value], proposed: str) -> str:
        column = self.tables[entity].key
        return f"{column}='{values[column]}'" if self.ids == "key" else proposed

    def newer(self, a: str, b: str) -> bool | None:
        return int(a) > int(b)

    def throttling(self) -> Throttling:
        return self.throttled

    def pace(self, entity: str) -> Pace:
        return self.paced()

    def close(self) -> None:
        return None

    # ------------------------------------------------------------------ one operation

    def _one(self, entity: str, columns: Sequence[str], operation: Operation) -> Outcome:
        fault = self.fault(operation)
        if fault == "lost-before":
            return Unknown("the reply was lost")
        if fault == "transient":
            return Transient("busy")
        if fault == "rejected":
            return Rejected("no", "it is not wanted")
        outcome = self._carry_out(entity, columns, operation)
        return Unknown("the reply was lost") if fault == "lost-after" else outcome

    def _carry_out(self, entity: str, columns: Sequence[str], operation: Operation) -> Outcome:
        row, id = self.rows[entity].get(operation.id), operation.id
        match operation:
            case Create():
                if row is not None:
                    return Exists(operation.id)
                twin = self._twin(entity, operation.values) if self.unique else None
                if twin is not None:
                    return Exists(twin)
                if self.ids == "allotted":
                    id = str(len(self.log) + 1)
                blank = dict.fromkeys((c.name for c in self.tables[entity].columns), None)
                self.change(entity, id, {**blank, **operation.values}, US)
            case Update() | Delete() if row is None:
                return Missing()
            case Update() | Delete() if self._version(row) != operation.version:
                return Stale()
            case Update() if self.ids == "key" and self.tables[entity].key in operation.values:
                return Rejected("key-fixed", "the key is the row's id")
            case Update():
                self._gives_way(operation.id, row, operation.values)
                self.change(entity, operation.id, operation.values, US)
            case Delete():
                self._gives_way(operation.id, row, dict.fromkeys(row.values))
                self.drop(entity, operation.id)
        self.written.append(operation)
        if isinstance(operation, Delete) or (
            isinstance(operation, Create) and not self.sees_creates
        ):
            return Applied(id)
        return Applied(id, self._row(entity, id, columns))

    def _gives_way(self, id: str, row: _Row, values: Mapping[str, Value]) -> None:
        for name, value in values.items():
            old = row.values.get(name)
            if old is not None and old != value:
                self.replaced.append((id, name, old))

    def _twin(self, entity: str, values: Mapping[str, Value]) -> str | None:
        key = self.tables[entity].key
        wanted = normal_key(values.get(key))
        for id, row in self.rows[entity].items():
            if normal_key(row.values.get(key)) == wanted:
                return id
        return None

    def _row(self, entity: str, id: str, columns: Sequence[str]) -> Row:
        row = self.rows[entity][id]
        seen = (None if name in self.unreadable else row.values.get(name) for name in columns)
        image: Image = tuple(seen)
        modified_at = row.modified_at if self.tells_times else None
        modifier = row.modifier if self.names_modifiers else None
        return Row(id, self._version(row), image, modified_at, modifier)

    def _version(self, row: _Row) -> str | None:
        return str(row.version) if self.preconditions == "version" else None

    def _call(self, name: str) -> None:
        self.moments.pass_by(f"{self.name} is asked to {name}")
        if self.down:
            raise UnreachableError("unreachable", f"{self.name} is down", remedy="start it")
        self.calls[name] += 1

    def _reach(self, place: int) -> None:
        if place > len(self.log) and self.knows_its_end:
            raise PositionExpiredError("position-ahead", "not there yet", remedy="scan")
        if place < self.forgotten:
            raise PositionExpiredError("position-expired", "forgotten", remedy="scan")


def _mark(columns: Sequence[str], place: int) -> str:
    return f"{','.join(columns)}@{place}"


def _place(resume: str) -> tuple[str, int]:
    after, _, head = resume.rpartition("@")
    return after, int(head)
