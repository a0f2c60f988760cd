"""Runs of projects: what became of them, and how far they are.

Owns: their ids, their states over time, what a switch makes of the next ones.
Never does: exporting or importing (`exports.py`, `imports.py`).
Tested in: tests/integration/sandbox/finops/test_exports.py, test_imports.py.

Facts: "Finance and Operations: data-management-api": a run is asked for its state until it is
Succeeded, PartiallySucceeded, Failed or Canceled. Here its work is done at once and its state
follows the clock: a third of the time NotRun, then Executing, then the end.
"""

from __future__ import annotations

import uuid
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from enum import StrEnum

import orjson

from connector.sandbox.finops.storage import Storage

NOT_RUN, EXECUTING = "NotRun", "Executing"


class Outcome(StrEnum):
    """How a run ends."""

    SUCCEEDED = "Succeeded"
    PARTIALLY = "PartiallySucceeded"
    FAILED = "Failed"
    CANCELED = "Canceled"


class Spoil(StrEnum):
    """What is wrong with the package of a run."""

    NOTHING = "nothing"
    TRUNCATED = "truncated"
    """The zip ends in the middle."""
    UNKNOWN_ENTITY = "unknown-entity"
    """The manifest names an entity nobody knows."""
    MISSING_FILE = "missing-file"
    """The manifest names a file that is not there."""
    NO_MANIFEST = "no-manifest"


@dataclass(slots=True)
class Trouble:
    """What the next `count` runs meet; afterwards they are as quick and good as `seconds` says."""

    count: int = 1
    outcome: Outcome = Outcome.SUCCEEDED
    errors: tuple[str, ...] = ()
    spoil: Spoil = Spoil.NOTHING
    seconds: float | None = None

    def __post_init__(self) -> None:
        self.outcome, self.spoil = Outcome(self.outcome), Spoil(self.spoil)
        self.errors = tuple(self.errors)


@dataclass(slots=True)
class Execution:
    """One run. Times are seconds of the environment's clock."""

    id: str
    project: str
    began: float
    ends: float
    outcome: Outcome
    blob: str | None = None
    errors: list[dict[str, str]] = field(default_factory=list)
    """`entity`, `key` and `text` of each row or entity that failed."""
    imports: bool = False

    def state(self, now: float) -> str:
        """What it is doing."""
        if now >= self.ends:
            return self.outcome.value
        return NOT_RUN if now < self.began + (self.ends - self.began) / 3 else EXECUTING


class Executions:
    """The runs of one environment; `seconds` is how long one takes."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self.seconds = 0.0
        self._troubles: list[Trouble] = []

    def trouble(self, trouble: Trouble) -> None:
        """What the next runs meet."""
        self._troubles.append(trouble)

    def next_trouble(self) -> Trouble:
        """What this run meets; counted down."""
        for one in self._troubles:
            if one.count > 0:
                one.count -= 1
                return one
        return Trouble()

    def clear(self) -> None:
        """No trouble, no waiting."""
        self._troubles.clear()
        self.seconds = 0.0

    def new_id(self, project: str) -> str:
        """An id with the project and the time in it."""
        moment = datetime.fromtimestamp(self.now, UTC)
        return f"{project}-{moment:%Y-%m-%dT%H:%M:%S}-{uuid.uuid4().hex.upper()}"

    @property
    def now(self) -> float:
        """Seconds of the environment's clock."""
        return self._storage.clock.now()

    def ends(self, trouble: Trouble) -> float:
        """When a run that begins now is over."""
        return self.now + (self.seconds if trouble.seconds is None else trouble.seconds)

    def put(self, execution: Execution) -> None:
        """Keep a run; part of the running transaction."""
        self._storage.connection.execute(
            "INSERT OR REPLACE INTO executions VALUES (?, ?, ?)",
            (execution.id, execution.ends, orjson.dumps(asdict(execution)).decode()),
        )

    def find(self, execution_id: str) -> Execution | None:
        """The run with this id."""
        found = self._storage.connection.execute(
            "SELECT body FROM executions WHERE id = ?", (execution_id,)
        ).fetchone()
        return None if found is None else _execution(found[0])

    def running(self, *, project: str | None = None, imports: bool = False) -> bool:
        """Whether a run of a project, or any import, is not over yet."""
        rows = self._storage.connection.execute(
            "SELECT body FROM executions WHERE ends > ?", (self.now,)
        )
        return any(
            one.imports if imports else one.project == project
            for one in (_execution(body) for (body,) in rows)
        )


def _execution(body: str) -> Execution:
    value = orjson.loads(body)
    return Execution(**{**value, "outcome": Outcome(value["outcome"])})
