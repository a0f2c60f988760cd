"""Dataverse, as the sandbox speaks it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from tests.contract.endpoints.world import PAGE_ROWS, World


def world(request: pytest.FixtureRequest) -> Iterator[World]:
    """The cards of an organization emptied for this test."""
    from connector.endpoints.dataverse import DataverseEndpoint
    from connector.endpoints.dataverse.service import NAMING
    from connector.endpoints.web.auth import Tokens
    from connector.endpoints.web.credentials import Application
    from connector.endpoints.web.patience import Patience

    where: dict[str, Any] = request.getfixturevalue("sandbox")
    request.getfixturevalue("dataverse")  # empties the organization
    application = Application(
        where["authority"],
        where["client_id"],
        where["client_secret"],
        where["dataverse"],
        where["ca"],
        naming=NAMING,
    )
    endpoint = DataverseEndpoint(
        where["dataverse"],
        tokens=Tokens(application, side=NAMING.side),
        ca=where["ca"],
        patience=Patience(),
        clock=lambda: datetime.now(UTC),
        page_size=PAGE_ROWS,
    )
    yield World(
        endpoint,
        "msdyn_loyaltycards",
        key="msdyn_cardnumber",
        text="msdyn_replacementcardnumber",
        day="msdyn_enrollmentdate",
        longest_key=100,
        nobody=str(uuid4()),
    )
    endpoint.close()
