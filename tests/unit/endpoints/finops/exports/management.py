"""Data management as a thing in memory: a table that is edited, and exports of what changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from connector.endpoints.base import Page
from connector.endpoints.finops.exports.detection import Exports
from connector.endpoints.finops.exports.jobs import (
    ACTIONS,
    Answer,
    Denied,
    Jobs,
    Status,
    Told,
)
from connector.endpoints.finops.exports.journal import Journal
from connector.endpoints.finops.exports.runs import Clockwork, Runs
from connector.endpoints.manner import Manner
from connector.endpoints.snapshots import Snapshots, Table
from connector.errors import DualWriteError
from connector.mapping.values import Value
from tests.unit.endpoints.finops.packages import WANTED, cards, package
from tests.unit.endpoints.snapshots.things import COLUMNS, Shelf

SWEEP = 3600.0


class Killed(BaseException):
    """`kill -9`, at this very place."""


@dataclass
class Management:
    """One environment: edits mark rows as changed, an export takes the marks."""

    shelf: Shelf = field(default_factory=lambda: Shelf(page=4))
    now: float = 1_000_000.0
    statuses: list[Status] = field(default_factory=list)
    """What the next questions are answered with; then `Succeeded`."""
    answers: dict[str, Answer] = field(default_factory=dict)
    """What an action answers instead of doing anything."""
    packages: dict[str, bytes] = field(default_factory=dict)
    fails: DualWriteError | None = None
    """What every question raises."""
    cut: int = 0
    """Bytes that lack at the end of a package."""
    asked: list[str] = field(default_factory=list)
    respelled: Callable[[str], str] = str
    """How data files spell a key."""
    dies_at: int | None = None
    """How many more effects there are before this process is killed."""
    _changed: dict[str, None] = field(default_factory=dict)
    _version: int = 0

    # ------------------------------------------------------------------ people

    def edit(self, *numbers: str) -> None:
        for number in numbers:
            self._version += 1
            self.shelf.put(number, f"v{self._version}")
            self._changed[number] = None

    def remove(self, number: str) -> None:
        self.shelf.remove(number)
        self._changed.pop(number, None)  # an export tells nothing of it

    # ------------------------------------------------------------------ the service

    def effect(self) -> None:
        """A place at which this process may die."""
        if self.dies_at is not None:
            self.dies_at -= 1
            if self.dies_at < 0:
                raise Killed

    def ask(self, action: str, body: Mapping[str, object]) -> Answer:
        name = action.removeprefix(ACTIONS)
        self.asked.append(name)
        if self.fails is not None:
            raise self.fails
        self.effect()
        answer = self.answers.get(name) or self._do(name, body)
        self.effect()
        return answer

    def _do(self, name: str, body: Mapping[str, object]) -> Answer:
        if name == "ExportToPackage":
            execution = f"job-{len(self.packages) + 1}"
            told = self._changed if self.packages else self.shelf.rows_by_id
            self.packages[execution] = package(cards(*map(self.respelled, told)))
            self._changed.clear()
            return Told({"value": execution})
        execution = str(body["executionId"])
        if execution not in self.packages:
            return Denied(400, f"Execution {execution} were not found")
        if name == "GetExecutionSummaryStatus":
            return Told(str(self.statuses.pop(0) if self.statuses else Status.SUCCEEDED))
        return Told(f"https://blob.example/{execution}?sig=secret")

    def fetch(self, url: str, path: Path) -> None:
        """As `Downloads.fetch`."""
        self.asked.append("fetch")
        self.effect()
        data = self.packages[url.rpartition("/")[2].partition("?")[0]]
        path.write_bytes(data[: len(data) - self.cut])
        self.effect()

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    @property
    def exports(self) -> int:
        """How many exports were begun."""
        return self.asked.count("ExportToPackage")


class Station:
    """A process that follows the table; `known` is what it made durable."""

    def __init__(
        self,
        service: Management,
        folder: Path,
        manner: Manner = Manner.COMMAND,
        sweep: float = SWEEP,
        name: str = "host/1",
        gone: Callable[[str], bool] = lambda _name: True,
    ) -> None:
        self.service = service
        self.known: dict[str, str | None] = {}
        self.position: str | None = None
        self.stopping = False
        journal = Journal(folder / "exports")
        clockwork = Clockwork(lambda: service.now, service.sleep, name, gone, lambda: self.stopping)
        jobs = Jobs(service.ask, WANTED.project, WANTED.entity, None)
        self.runs = Runs(
            journal,
            jobs,
            service,  # type: ignore[arg-type]
            WANTED,
            id_of,
            folder / "exports",
            clockwork,
        )
        snapshots = Snapshots(folder / "snapshots", "https://fo.example")
        self._exports = Exports(snapshots, self.runs, sweep, manner, lambda: service.now)

    @property
    def table(self) -> Table[Shelf]:
        return Table("RetailLoyaltyCards", COLUMNS, self.service.shelf)

    def scan(self) -> None:
        """Read the whole table."""
        self._keep(self._exports.scan(self.table, None))

    def look(self) -> list[Page]:
        """Ask for changes; pages are made durable one by one."""
        assert self.position is not None
        return self._keep(self._exports.changes(self.table, self.position))

    def after(self, other: Station) -> Station:
        """The same state in another process."""
        self.known, self.position = dict(other.known), other.position
        return self

    def _keep(self, pages: Iterable[Page]) -> list[Page]:
        kept = []
        for page in pages:
            kept.append(page)
            self.known.update({row.id: row.version for row in page.rows})
            for id in page.deleted:
                self.known.pop(id, None)
            self.position = page.position if page.last else page.resume or self.position
        return kept


def id_of(key: Mapping[str, Value]) -> str:
    """On the shelf a row goes by its card number."""
    return str(key["CardNumber"])


def held(service: Management) -> dict[str, str | None]:
    """What the table holds."""
    return {id: row.version for id, row in service.shelf.rows_by_id.items()}
