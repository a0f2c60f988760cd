"""Finance and Operations, as the sandbox speaks it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.contract.endpoints.world import PAGE_ROWS, World

LONGEST_KEY = 30


def world(request: pytest.FixtureRequest) -> Iterator[World]:
    """The cards of an environment emptied for this test, where every party is at hand."""
    from connector.endpoints.finops.endpoint import FinopsEndpoint
    from connector.endpoints.finops.exports.download import Downloads
    from connector.endpoints.finops.exports.runs import Clockwork
    from connector.endpoints.finops.service import naming_of, service_of
    from connector.endpoints.odata_v4.feeds import Way
    from connector.endpoints.web.auth import Tokens
    from connector.endpoints.web.credentials import Application
    from connector.endpoints.web.governor import Governor
    from connector.endpoints.web.patience import Patience
    from connector.endpoints.web.transport import Transport

    where: dict[str, Any] = request.getfixturevalue("sandbox")
    session: Any = request.getfixturevalue("finops")  # empties the environment
    session.switch("references", {"complete": True})
    session.switch("paging", {"size": PAGE_ROWS})
    # Its own tables cut what is too long; this one has a check, as customers write them.
    session.switch(
        "rules",
        {
            "entity": "RetailLoyaltyCards",
            "key": "x" * LONGEST_KEY,
            "text": "The card number is too long.; "
            "Warning: validateField failed on field 'RetailLoyaltyCardEntity.CardNumber'",
            "count": 1000,
        },
    )
    folder: Path = request.getfixturevalue("tmp_path")
    naming = naming_of("commerce")
    application = Application(
        where["authority"],
        where["client_id"],
        where["client_secret"],
        where["finops"],
        where["ca"],
        naming=naming,
    )
    transport = Transport(
        service_of("commerce"),
        where["finops"],
        tokens=[Tokens(application, side=naming.side)],
        ca=where["ca"],
        patience=Patience(),
        clock=lambda: datetime.now(UTC),
        timeout=30.0,
        connections=4,
        governor=Governor(batch=100),
    )
    endpoint = FinopsEndpoint(
        transport,
        way_of=lambda _: Way(),
        folder=folder / "snapshots",
        metadata=request.getfixturevalue("tmp_path_factory").getbasetemp() / "metadata",
        clock=time.time,
        downloads=Downloads(where["ca"], 30.0, local=True),
        clockwork=Clockwork(time.time, time.sleep, "host/1", lambda _: False, lambda: False),
    )
    yield World(
        endpoint,
        "RetailLoyaltyCards",
        key="CardNumber",
        text="PartyNumber",
        day="LoyaltyEnrollmentDate",
        longest_key=LONGEST_KEY,
        tells_lengths=False,
        nobody="CardNumber='nobody'",
    )
    endpoint.close()
