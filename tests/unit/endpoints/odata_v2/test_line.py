"""The line to the service: patience, tokens, pages to sign in at, silence about cards."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

from connector.endpoints.base import (
    Applied,
    Unknown,
    Update,
)
from connector.endpoints.odata_v2 import ODataV2Endpoint
from connector.errors import UnreachableError
from tests.integration.odata_v2.service import Service
from tests.unit.endpoints.odata_v2.cards import COLUMNS, card, fill, write

if TYPE_CHECKING:
    from tests.unit.endpoints.odata_v2.conftest import MakeEndpoint


# ---------------------------------------------------------------------------- the line


def test_a_busy_service_is_asked_again(service: Service, endpoint: ODataV2Endpoint) -> None:
    rows = fill(endpoint, 1)
    service.manners.faults = ["429", "429"]
    (outcome,) = write(endpoint, Update(rows["K0"].id, rows["K0"].version, {"Note": "x"}))
    assert isinstance(outcome, Applied)
    service.manners.faults = ["503", "lost"]
    pages = list(endpoint.scan("Cards", COLUMNS, None))
    assert [row.image for page in pages for row in page.rows] == [("K0", "x")]
    assert endpoint.throttling().times == 3


def test_a_reply_that_does_not_come_is_waited_for_no_longer_than_the_timeout(
    service: Service, connect: MakeEndpoint
) -> None:
    endpoint = connect(service, timeout=0.3)
    rows = fill(endpoint, 1)
    with service.lock:
        (outcome,) = write(endpoint, Update(rows["K0"].id, rows["K0"].version, {"Note": "x"}))
    assert isinstance(outcome, Unknown)


def test_a_csrf_token_is_fetched_once_and_anew_when_it_is_refused(
    service: Service, connect: MakeEndpoint
) -> None:
    service.manners.csrf = True
    endpoint = connect(service, csrf=True)
    fill(endpoint, 2)
    write(endpoint, card("one more"))
    assert service.csrf_tokens == 1
    service.csrf_tokens = 7  # the session is over
    assert isinstance(write(endpoint, card("another"))[0], Applied)
    assert service.csrf_tokens == 8


def test_no_card_number_is_logged(
    service: Service, endpoint: ODataV2Endpoint, caplog: pytest.LogCaptureFixture
) -> None:
    """The library logs the values of every field at INFO, and bodies at DEBUG."""
    caplog.set_level(logging.DEBUG)
    write(endpoint, card("6011-SECRET", Note="t"))
    list(endpoint.scan("Cards", COLUMNS, None))
    endpoint.read("Cards", COLUMNS, by="CardNumber", values=["6011-SECRET"])
    ours = [one for one in caplog.records if one.name.startswith(("pyodata", "connector"))]
    assert not [one for one in ours if "6011" in one.getMessage()]
    assert logging.getLogger("pyodata.service").disabled


@pytest.mark.parametrize("fault", ["html", "302"])
def test_a_page_to_sign_in_at_is_named(
    service: Service, endpoint: ODataV2Endpoint, fault: str
) -> None:
    fill(endpoint, 1)
    service.manners.faults = [fault]
    with pytest.raises(UnreachableError) as raised:
        list(endpoint.scan("Cards", COLUMNS, None))
    assert raised.value.code == "answer-unreadable"
    assert "sign in" in raised.value.remedy
