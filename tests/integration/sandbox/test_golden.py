"""Every documented example of both services, byte by byte in and pattern by pattern out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.conftest import fetch_token
from tests.integration.sandbox.golden import Case, Stage, cases

if TYPE_CHECKING:
    from tests.conftest import DataverseSession


@pytest.mark.usefixtures("dataverse", "finops")
@pytest.mark.parametrize("case", [*cases()], ids=lambda case: case.name)
def test_golden(sandbox: dict[str, Any], case: Case) -> None:
    stage = Stage(sandbox, fetch_token(sandbox), fetch_token(sandbox, resource="finops"))
    for exchange in case.exchanges:
        stage.compare(exchange.answer, stage.send(exchange.request))


def test_a_difference_is_seen(sandbox: dict[str, Any], dataverse: DataverseSession) -> None:
    """The comparison itself: each kind of difference fails."""
    del dataverse
    stage = Stage(sandbox, fetch_token(sandbox))
    answer = stage.send(["GET /api/data/v9.2/WhoAmI"])
    stage.compare(["200", "", '{"UserId": "<guid user>", "…": "…"}'], answer)
    for wrong in (
        ["201"],
        ["200", "OData-Version: 5.0", "", '{"…": "…"}'],
        ["200", "!OData-Version", "", '{"…": "…"}'],
        ["200", "", '{"UserId": "<guid>"}'],
        ["200", "", '{"UserId": "<etag>", "…": "…"}'],
        ["200", "", '{"Nobody": "x", "…": "…"}'],
        ["200", "", "text"],
        ["200"],
    ):
        with pytest.raises(AssertionError):
            stage.compare(wrong, answer)
    assert stage.known["user"]
