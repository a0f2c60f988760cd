"""The one place where real parts are wired together.

Owns: making stores, endpoints, clocks and compiled maps out of settings.
Never does: deciding anything; commands go through `connector/operations/`.
Tested in: tests/acceptance/.
"""

from __future__ import annotations

import functools
import random
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from connector.books import Books, open_state, sorted_maps
from connector.config.connections import Connection
from connector.config.policies import AlertSettings, NotifySettings
from connector.config.sides import (
    CommerceSettings,
    DynamicwebSettings,
    FinopsSettings,
    LedgerSettings,
    ODataV2Settings,
    ODataV4Settings,
)
from connector.config.values import read_secret
from connector.endpoints.base import Endpoint, Entity, Pace
from connector.endpoints.manner import Manner as Manner
from connector.engine.ports import Guard, Limits, Ports, Tuning
from connector.engine.retry import Retry
from connector.engine.runs.alerts import Rule, Then
from connector.engine.through_lookups import through_lookups
from connector.errors import ConfigError, MapError, Problem, Subject
from connector.ledger.ids import TimeOrderedIds
from connector.ledger.ledger import Ledger
from connector.ledger.watch import Watch
from connector.mapping.columns import Column
from connector.mapping.compiling.compiled import CompiledMap
from connector.mapping.compiling.compiler import compile_map, findings
from connector.mapping.document import MapDocument
from connector.mapping.values import Side
from connector.notify import Notifier
from connector.process import gone, monotonic, own_name, rarely_collecting, sleeper
from connector.settings import Settings
from connector.sides import remote
from connector.sides.connecting import patience_of
from connector.sides.dataverse import dataverse_endpoint
from connector.sides.dataverse import open_administration as open_administration
from connector.sides.ledger import limits_of, zone_of

if TYPE_CHECKING:
    from connector.endpoints.dataverse.endpoint import DataverseEndpoint
    from connector.live.events import Listener

LEASE_PATIENCE = 6.0
"""Seconds a command waits for a map another one works: longer than a turn of live mode."""

RENEWAL = 50.0
"""Seconds between two renewals of a lease: so much longer than a request it lasts."""

Progress = Callable[[str, int], None]
Paced = Callable[[Side, Pace], None]


def _quiet(_step: str, _count: int) -> None:
    return None


def _unpaced(_side: Side, _pace: Pace) -> None:
    return None


def _never() -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Project(Books):
    """Everything a command needs of one configured project, opened."""

    tuning: Tuning
    _commerce: Mapping[str, Endpoint]
    _dataverse: DataverseEndpoint
    _executor: ThreadPoolExecutor
    _progress: Progress
    _stopping: Callable[[], bool]
    _notifier: Notifier
    _paced: Paced
    _seen: dict[str, Endpoint] = field(default_factory=dict)
    """Dataverse as each map sees it."""

    def endpoints(self, document: MapDocument) -> dict[Side, Endpoint]:
        """The two endpoints of a map; raises `ConfigError` (`side-unknown`)."""
        side = document.commerce.side or "commerce"
        if side not in self._commerce:
            raise ConfigError(
                "side-unknown",
                f"the config has no commerce side `{side}`",
                subject=document.file.subject("commerce", "side", map=document.map),
                remedy=f"name one of {', '.join(self._commerce)}, or add [sides.{side}]",
            )
        dataverse = self._seen.setdefault(document.map, through_lookups(document, self._dataverse))
        return {Side.COMMERCE: self._commerce[side], Side.DATAVERSE: dataverse}

    @property
    def dataverse(self) -> Endpoint:
        """Dataverse as it is, whichever map asks."""
        return self._dataverse

    def ports(self, document: MapDocument) -> Ports:
        """Everything impure the engine is handed for one map."""
        return Ports(
            store=self.store,
            endpoints=self.endpoints(document),
            clock=time.time,
            monotonic=monotonic,
            sleep=sleeper(self._stopping),
            random=random.random,
            new_id=TimeOrderedIds(),
            executor=self._executor,
            holder=own_name(),
            patience=LEASE_PATIENCE,
            gone=gone,
            progress=self._progress,
            stopping=self._stopping,
            paced=self._paced,
            notify=lambda notice: self._notifier.send(notice.as_dict()),
        )

    def compiled(self, document: MapDocument) -> tuple[CompiledMap, dict[Side, Entity]]:
        """The map against the live metadata of both sides; raises `MapError`."""
        entities = self.entities(document)
        map = compile_map(
            document,
            entities[Side.COMMERCE].columns,
            entities[Side.DATAVERSE].columns,
            functools.cache(self._lookup_columns),
        )
        return map, entities

    def findings(self, document: MapDocument) -> list[Problem]:
        """Everything wrong or doubtful about a map against live metadata."""
        entities = self.entities(document)
        return list(
            findings(
                document,
                entities[Side.COMMERCE].columns,
                entities[Side.DATAVERSE].columns,
                functools.cache(self._lookup_columns),
            )
        )

    def entities(self, document: MapDocument) -> dict[Side, Entity]:
        """Both tables of a map as the live systems describe them."""
        return {side: self._entity(document, side) for side in Side}

    def _entity(self, document: MapDocument, side: Side) -> Entity:
        try:
            return self.endpoints(document)[side].describe(document.end(side).entity)
        except MapError as error:
            if error.code == "entity-unknown":  # the side does not know which file names it
                place = document.file.subject(side.value, "entity", map=document.map)
                error.subject = replace(place, side=error.subject.side, entity=error.subject.entity)
            raise

    @contextmanager
    def beside(self) -> Iterator[Project]:
        """The same project for another thread: with a store and an executor of its own."""
        with ExitStack() as stack:
            store = open_state(self.settings.store)
            stack.callback(store.close)
            executor = stack.enter_context(_executor(self.tuning.limits))
            yield replace(self, store=store, _executor=executor)

    @contextmanager
    def watch(self, side: str) -> Iterator[Watch]:
        """A look-out for commits to a commerce side that `watchable` names."""
        with Ledger.open(self._sides[side].url) as ledger, closing(ledger.watch()) as watch:
            yield watch

    @property
    def listeners(self) -> list[Listener]:
        """Who hears the events of which commerce side; raises `ConfigError` (`secret-missing`)."""
        return remote.listeners(self.settings, self._commerce)

    @property
    def watchable(self) -> frozenset[str]:
        """The commerce sides at which a commit can be noticed as it happens."""
        return frozenset(name for name, side in self._sides.items() if side.kind == "ledger")

    @property
    def _sides(self) -> Mapping[str, CommerceSettings]:
        return self.settings.commerce_sides()

    def kept(self) -> AbstractContextManager[None]:
        """Within, no table of Dataverse is described twice: for who looks and changes nothing."""
        return self._dataverse.kept()

    def _lookup_columns(self, entity: str) -> Mapping[str, Column]:
        return self._dataverse.describe(entity).columns


@contextmanager
def open_project(
    settings: Settings,
    progress: Progress = _quiet,
    stopping: Callable[[], bool] = _never,
    paced: Paced = _unpaced,
    manner: Manner = Manner.COMMAND,
) -> Iterator[Project]:
    """Open store, endpoints and maps of a project; everything is closed at the end.

    `progress` is told what was done, `paced` how fast a side takes writes; `manner` says who looks
    for changes. Raises `ConfigError`, `MapError`, `StateError`; sides are asked nothing yet.
    """
    notifier = _notifier(settings.notify)
    documents, off = sorted_maps(settings)
    rules = tuple(_rule(alert, {**documents, **off}) for alert in settings.alerts)
    limits = _limits(settings)
    with ExitStack() as stack:
        stack.enter_context(rarely_collecting())
        store = open_state(settings.store)
        stack.callback(store.close)
        commerce: dict[str, Endpoint] = {}
        for name, side in settings.commerce_sides().items():
            commerce[name] = _commerce_endpoint(name, side, settings, stopping, manner)
            stack.callback(commerce[name].close)
        dataverse = dataverse_endpoint(settings.dataverse, settings.retry, stopping)
        stack.callback(dataverse.close)
        executor = stack.enter_context(_executor(limits))
        guard = settings.guard.deletes
        retry = settings.retry
        yield Project(
            settings,
            documents,
            off,
            store,
            Tuning(
                Guard(guard.rows, guard.share),
                Retry(retry.attempts, retry.first_wait, retry.longest_wait),
                limits,
                rules,
            ),
            commerce,
            dataverse,
            executor,
            progress,
            stopping,
            notifier,
            paced,
        )


def _executor(limits: Limits) -> ThreadPoolExecutor:
    """Threads for the writes in flight of one map, the page read ahead, and a question."""
    return ThreadPoolExecutor(limits.in_flight + 2, "dualwrite")


@contextmanager
def open_commerce(settings: Settings) -> Iterator[Endpoint]:
    """The commerce side alone, to be asked what its tables are; raises `ConfigError`."""
    side = settings.commerce
    endpoint = _commerce_endpoint("commerce", side, settings, _never, Manner.COMMAND)
    with closing(endpoint):
        yield endpoint


def _commerce_endpoint(
    name: str,
    side: CommerceSettings,
    settings: Settings,
    stopping: Callable[[], bool],
    manner: Manner,
) -> Endpoint:
    """The endpoint of a commerce side; raises `ConfigError`."""
    retry = settings.retry
    match side:
        case LedgerSettings():
            from connector.endpoints.ledger.endpoint import LedgerEndpoint

            limits = limits_of(settings.corrections)
            ledger = Ledger.open(side.url, corrections=limits, zone=zone_of(side))
            return LedgerEndpoint(ledger)
        case FinopsSettings():
            return remote.finops(name, side, retry, stopping, manner)
        case ODataV4Settings():
            return remote.odata_v4(name, side, retry, stopping, manner)
        case ODataV2Settings():
            return remote.odata_v2(name, side, retry, stopping, manner)
        case DynamicwebSettings():
            return remote.dynamicweb(name, side, manner)


def _limits(settings: Settings) -> Limits:
    """A lease that outlives every request at the moment it leaves; a batch for each turn."""
    from connector.endpoints.web.governor import READY
    from connector.endpoints.web.patience import CONNECT_TIMEOUT, longest_write

    connections = [
        side for side in settings.commerce_sides().values() if isinstance(side, Connection)
    ]
    timeout = max(side.timeout for side in (settings.dataverse, *connections))
    request = CONNECT_TIMEOUT + timeout
    return Limits(
        in_flight=READY * settings.dataverse.connections,
        lease=request + RENEWAL,
        margin=request,
        silence=longest_write(timeout, patience_of(settings.retry, _never)),
    )


def _rule(alert: AlertSettings, maps: Mapping[str, MapDocument]) -> Rule:
    """A rule of the config; raises `ConfigError` (`alert-map-unknown`)."""
    if alert.map is not None and alert.map not in maps:
        raise ConfigError(
            "alert-map-unknown",
            f"an alert is about the map `{alert.map}`, which there is not",
            subject=Subject(field="alerts"),
            remedy=f"name one of {', '.join(maps)}, or leave `map` out to mean each of them",
        )
    return Rule(alert.kind, alert.count, alert.minutes, Then(alert.then), alert.map)


def _notifier(notify: NotifySettings) -> Notifier:
    """Whoever is told; raises `ConfigError` for a webhook whose secret is missing."""
    webhook = notify.webhook
    if webhook is not None and "://" not in webhook:
        webhook = read_secret(webhook).get_secret_value()
    return Notifier(notify.command, webhook, str(notify.ca) if notify.ca is not None else None)
