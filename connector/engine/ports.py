"""What the engine is handed from outside, so that a simulator can drive all of it.

Owns: the list of ports and of the figures a run may be tuned with.
Never does: providing them; `connector/bootstrap.py` does.
Tested in: tests/integration/engine/, tests/simulation/.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, field

from connector.endpoints.base import Endpoint, Pace
from connector.engine.retry import Retry
from connector.engine.runs.alerts import Notice, Rule
from connector.mapping.values import Side
from connector.store.base import Store


@dataclass(frozen=True, slots=True)
class Guard:
    """When deletes stop a map; docs/operations.md."""

    rows: int = 100
    share: float = 0.05
    share_from: int = 3
    """The share counts only from this many deletes on."""
    window: float = 3600.0
    """Seconds over which deletes are counted."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Figures of one run."""

    page: int = 1000
    """Records planned and committed together."""
    in_flight: int = 3
    """Batches sent and not yet settled."""
    lease: float = 120.0
    """Seconds a lease lasts: so long another machine waits after this one has died."""
    margin: float = 70.0
    """Seconds the lease must still last before a batch leaves: the longest a request can take. It
    is renewed while requests wait for their turn or are sent again."""
    silence: float = 1000.0
    """Seconds a write can take at most, with every wait and repetition."""
    rounds: int = 20
    """Times a run captures and plans anew before it leaves the rest to the next run."""


@dataclass(frozen=True, slots=True)
class Ports:
    """Everything impure. `clock` and `monotonic` give seconds, `random` a number in [0, 1).

    `monotonic` goes on while the machine sleeps: leases are counted by it.
    """

    store: Store
    endpoints: Mapping[Side, Endpoint]
    clock: Callable[[], float]
    monotonic: Callable[[], float]
    sleep: Callable[[float], None]
    random: Callable[[], float]
    new_id: Callable[[], str]
    executor: Executor
    """Carries writes in flight, the page read ahead and a question to a side: `Limits.in_flight`
    workers and two."""
    holder: str
    """Names this process in leases: host and process id."""
    patience: float = 0.0
    """Seconds to wait for a lease that another worker holds: live mode gives it back often."""
    gone: Callable[[str], bool] = lambda _holder: False
    """Whether a holder is known to have died, so that its lease need not expire first."""
    progress: Callable[[str, int], None] = lambda _step, _count: None
    """Told what was done: a step (`read commerce`, `written dataverse`, ...) and how many."""
    alive: Callable[[], None] = lambda: None
    """Called now and then while a run waits for a side that takes long."""
    paced: Callable[[Side, Pace], None] = lambda _side, _pace: None
    """Told how fast a side takes writes, now and then while they go on."""
    stopping: Callable[[], bool] = lambda: False
    """Whether a signal asked to finish the batch in flight and stop."""
    notify: Callable[[Notice], None] = lambda _notice: None
    """Tells people of an alert or a stopped map; never raises."""


@dataclass(frozen=True, slots=True)
class Tuning:
    """Policies of one run."""

    guard: Guard = field(default_factory=Guard)
    retry: Retry = field(default_factory=Retry)
    limits: Limits = field(default_factory=Limits)
    alerts: tuple[Rule, ...] = ()
