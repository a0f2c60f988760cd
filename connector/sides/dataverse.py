"""The Dataverse side, opened by its settings.

Owns: making its endpoint and its administration.
Never does: deciding anything; opening a connection before something is asked.
Tested in: tests/acceptance/test_faults.py, tests/integration/test_application_users.py.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from connector.config.policies import RetrySettings
from connector.settings import DataverseSettings, Settings
from connector.sides.connecting import ca_of, credential, governor_of, kept_tokens, patience_of

if TYPE_CHECKING:
    from connector.endpoints.dataverse.administration import Administration
    from connector.endpoints.dataverse.endpoint import DataverseEndpoint
    from connector.endpoints.web.transport import TokenSource


def _never() -> bool:
    return False


def dataverse_endpoint(
    side: DataverseSettings, retry: RetrySettings, stopping: Callable[[], bool] = _never
) -> DataverseEndpoint:
    """The Dataverse endpoint of the settings; raises `ConfigError` for its secrets."""
    from connector.endpoints.dataverse.endpoint import DataverseEndpoint

    first, *others = _token_sources(side)
    patience = patience_of(retry, stopping)
    return DataverseEndpoint(
        side.url,
        tokens=first,
        others=others,
        governor=governor_of(side, side.batch_size, patience, stopping, 1 + len(others)),
        affinity=side.affinity,
        ca=ca_of(side),
        patience=patience,
        clock=lambda: datetime.now(UTC),
        timeout=side.timeout,
        page_size=side.page_size,
        batch_size=side.batch_size,
        connections=side.connections,
    )


@contextmanager
def open_administration(settings: Settings) -> Iterator[Administration]:
    """The organization's definitions, to be changed; asked nothing yet. Raises `ConfigError`."""
    from connector.endpoints.dataverse.administration import LONGEST_CHANGE, Administration
    from connector.endpoints.dataverse.service import SERVICE
    from connector.endpoints.web.governor import Governor
    from connector.endpoints.web.transport import Transport

    side, patience = settings.dataverse, patience_of(settings.retry, _never)
    tokens = _token_sources(side)
    transport = Transport(
        SERVICE,
        side.url,
        tokens=tokens,
        ca=ca_of(side),
        patience=patience,
        clock=lambda: datetime.now(UTC),
        timeout=max(side.timeout, LONGEST_CHANGE),
        connections=1,
        governor=Governor(users=len(tokens), most=1, timeout=LONGEST_CHANGE),
    )
    try:
        yield Administration(transport, sleep=time.sleep)
    finally:
        transport.close()


def _token_sources(side: DataverseSettings) -> tuple[TokenSource, ...]:
    """Where the tokens of each application user come from, the first one first."""
    from connector.endpoints.dataverse.service import NAMING

    credentials = [
        credential(user, user.auth or side.auth, side.url, ca_of(side), NAMING)
        for user in side.all_users()
    ]
    return tuple(kept_tokens(one, side.token_cache, NAMING) for one in credentials)
