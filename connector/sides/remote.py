"""The commerce sides that are systems of their own, opened by their settings.

Owns: making an endpoint of a remote kind out of its settings, and how it signs in there.
Never does: deciding anything; opening a connection before something is asked.
Tested in: tests/unit/sides/test_remote_sides.py, tests/acceptance/.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from connector.config.policies import RetrySettings
from connector.config.sides import (
    ChangeSettings,
    DynamicwebSettings,
    FinopsSettings,
    ODataV2Settings,
    ODataV4Settings,
)
from connector.config.values import read_secret
from connector.endpoints.base import Endpoint
from connector.endpoints.manner import Manner
from connector.process import gone, own_name, sleeper
from connector.settings import Settings
from connector.sides.connecting import governor_of, patience_of, token_source

if TYPE_CHECKING:
    from connector.endpoints.odata_v2.endpoint import Finding
    from connector.endpoints.odata_v4.feeds import Way
    from connector.endpoints.web.service import Service
    from connector.endpoints.web.transport import Transport
    from connector.live.events import Listener


def finops(
    name: str,
    side: FinopsSettings,
    retry: RetrySettings,
    stopping: Callable[[], bool],
    manner: Manner,
) -> Endpoint:
    """An environment of Finance and Operations; raises `ConfigError` for its secrets."""
    from connector.endpoints.finops.endpoint import FinopsEndpoint
    from connector.endpoints.finops.exports.download import Downloads
    from connector.endpoints.finops.exports.runs import Clockwork
    from connector.endpoints.finops.service import root_of, service_of
    from connector.endpoints.web.trust import is_loopback, trust

    service = service_of(name)
    ca = None if side.ca is None else str(side.ca)
    return FinopsEndpoint(
        _transport(service, side, root_of(side.url), retry, stopping),
        way_of=_ways(side.changes),
        folder=side.changes.folder,
        metadata=_kept_metadata(side, name),
        clock=time.time,
        downloads=Downloads(trust(ca, service.naming), side.timeout, local=is_loopback(side.url)),
        clockwork=Clockwork(time.time, sleeper(stopping), own_name(), gone, stopping),
        manner=manner,
        every=side.changes.every,
        listens=side.events.listen,
        company=side.company,
        page_size=side.page_size,
        batch_size=side.batch_size,
    )


def odata_v4(
    name: str,
    side: ODataV4Settings,
    retry: RetrySettings,
    stopping: Callable[[], bool],
    manner: Manner,
) -> Endpoint:
    """Any service of OData V4; raises `ConfigError` for its secrets."""
    from connector.endpoints.odata_v4 import ODataV4Endpoint
    from connector.endpoints.odata_v4.service import service_of

    return ODataV4Endpoint(
        _transport(service_of(name, side.url), side, _origin(side.url), retry, stopping),
        way_of=_ways(side.changes),
        folder=side.changes.folder,
        metadata=_kept_metadata(side, name),
        clock=time.time,
        page_size=side.page_size,
        batch_size=side.batch_size,
        batches=side.batch,
        manner=manner,
        every=side.changes.every,
    )


def listeners(settings: Settings, endpoints: Mapping[str, Endpoint]) -> list[Listener]:
    """Who hears the events of which side; raises `ConfigError` (`secret-missing`)."""
    from connector.endpoints.finops.endpoint import FinopsEndpoint
    from connector.live.events import Listener

    found = []
    for name, side in settings.commerce_sides().items():
        endpoint = endpoints[name]
        if isinstance(side, FinopsSettings) and side.events.listen:
            # The settings see to it that there is a secret.
            assert side.events.secret is not None
            assert isinstance(endpoint, FinopsEndpoint)
            key = read_secret(side.events.secret).get_secret_value()
            found.append(Listener(name, key, endpoint.ear.hear))
    return found


def _transport(
    service: Service,
    side: FinopsSettings | ODataV4Settings,
    resource: str,
    retry: RetrySettings,
    stopping: Callable[[], bool],
) -> Transport:
    """Requests to a service of OData V4; tokens are for `resource`."""
    from connector.endpoints.web.transport import Transport

    patience = patience_of(retry, stopping)
    return Transport(
        service,
        side.url,
        tokens=[token_source(side, service.naming, resource)],
        ca=None if side.ca is None else str(side.ca),
        patience=patience,
        clock=lambda: datetime.now(UTC),
        timeout=side.timeout,
        connections=side.connections,
        governor=governor_of(side, side.batch_size, patience, stopping),
    )


def _ways(changes: ChangeSettings) -> Callable[[str], Way]:
    """How the changes of each entity are found."""
    from connector.endpoints.odata_v4.feeds import Way

    def way_of(entity: str) -> Way:
        own = changes.of(entity)
        sweep = 60.0 * own.sweep_minutes
        return Way(own.by, own.column, own.key_column, own.overlap, sweep, own.project)

    return way_of


def _kept_metadata(side: FinopsSettings | ODataV4Settings, name: str) -> Path | None:
    """Where descriptions are kept; nowhere for a command that puts everything to the proof."""
    return side.changes.folder / f"metadata-{name}" if side.token_cache else None


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def odata_v2(
    name: str,
    side: ODataV2Settings,
    retry: RetrySettings,
    stopping: Callable[[], bool],
    manner: Manner,
) -> Endpoint:
    """A service of OData V2; raises `ConfigError` for its secrets."""
    from connector.endpoints.odata_v2.endpoint import Finding, ODataV2Endpoint, naming

    def finding(entity: str) -> Finding:
        chosen = side.changes.of(entity)
        if chosen.by != "watermark":
            return Finding()
        return Finding(
            chosen.column, chosen.key_column, chosen.overlap, 60.0 * chosen.sweep_minutes
        )

    patience = patience_of(retry, stopping)
    return ODataV2Endpoint(
        side.url,
        tokens=token_source(side, naming(name)),
        ca=None if side.ca is None else str(side.ca),
        patience=patience,
        clock=lambda: datetime.now(UTC),
        folder=side.changes.folder,
        side=name,
        policy=side.policy,
        update=side.update,
        csrf=side.csrf,
        timeout=side.timeout,
        page_size=side.page_size,
        batch_size=side.batch_size,
        connections=side.connections,
        finding=finding,
        manner=manner,
        every=side.changes.every,
        governor=governor_of(side, side.batch_size, patience, stopping),
    )


def dynamicweb(name: str, side: DynamicwebSettings, manner: Manner) -> Endpoint:
    """A shop's database; raises `ConfigError` for its URL, its driver and its secret."""
    from connector.endpoints.dynamicweb import DynamicwebEndpoint
    from connector.endpoints.dynamicweb.database import Database

    section = name if name == "commerce" else f"sides.{name}"
    password = None
    if side.password is not None:
        password = read_secret(side.password).get_secret_value()
    return DynamicwebEndpoint(
        Database(side.url, password, side.timeout, section),
        folder=side.changes.folder,
        sweep=60.0 * side.changes.sweep_minutes,
        clock=time.time,
        manner=manner,
        every=side.changes.every,
        names=side.tables,
        page_rows=side.page_size,
    )
