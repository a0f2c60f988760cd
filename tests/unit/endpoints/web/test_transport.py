"""Trust, patience, and the difference between "never sent" and "reply lost"."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import requests
from urllib3.exceptions import MaxRetryError, NewConnectionError

from connector.endpoints.base import Throttling
from connector.endpoints.dataverse.service import SERVICE
from connector.endpoints.web.answers import Lost, Reply, Unsent, unavailable
from connector.endpoints.web.budget import IN_TRANSIT
from connector.endpoints.web.faults import Fault
from connector.endpoints.web.governor import READY, Governor
from connector.endpoints.web.patience import Patience, longest_write
from connector.endpoints.web.transport import Transport
from connector.errors import ConfigError, UnreachableError
from tests.unit.endpoints.web.reaching import transport_to

if TYPE_CHECKING:
    from tests.unit.endpoints.scripted import Service


@pytest.fixture
def transport(service: Service) -> Transport:
    return transport_to(service)


def refused_connection() -> requests.ConnectionError:
    reason = NewConnectionError(None, "Connection refused")  # type: ignore[arg-type]
    return requests.ConnectionError(MaxRetryError(None, "/", reason))  # type: ignore[arg-type]


def untrusted_certificate(why: str) -> requests.exceptions.SSLError:
    return requests.exceptions.SSLError(f"[SSL: X] certificate verify failed: {why} (_ssl.c:1)")


def test_headers_of_every_request(service: Service, transport: Transport) -> None:
    service.on("GET", "WhoAmI")
    reply = transport.get("WhoAmI", prefer="odata.maxpagesize=2")
    sent = service.calls("GET", "WhoAmI")[0].headers
    assert reply.status == 200
    assert sent["Authorization"] == "Bearer token-0"
    assert sent["OData-Version"] == sent["OData-MaxVersion"] == "4.0"
    assert sent["If-None-Match"] == "null"
    assert sent["Prefer"] == "odata.maxpagesize=2"


def test_a_throttled_read_waits_as_long_as_it_is_told(
    service: Service, transport: Transport
) -> None:
    service.on("GET", "x", 429, headers={"Retry-After": "7"})
    service.on("GET", "x", 503)
    service.on("GET", "x", body=RuntimeLoss("reset"))
    service.on("GET", "x", 200, {"value": 1})
    assert transport.get("x").body == b'{"value": 1}'
    assert service.slept == [7, 2, 4]


class RuntimeLoss(requests.ConnectionError):
    """A connection that broke in the middle."""


def test_a_read_that_stays_throttled_says_so(service: Service, transport: Transport) -> None:
    service.on("GET", "x", 429, headers={"Retry-After": "3"})
    with pytest.raises(UnreachableError) as caught:
        transport.get("x")
    assert caught.value.code == "throttled"
    assert len(service.calls("GET", "/x")) == 4
    assert service.slept == [3, 3, 3]
    assert caught.value.tried == "up to 4 times"


def test_a_request_follows_the_settings(service: Service) -> None:
    own = service.patience
    service.patience = Patience(3, 0.5, 40.0, service.sleep, lambda: 0.0, own.monotonic)
    service.on("GET", "x", 503)
    with pytest.raises(UnreachableError):
        transport_to(service).get("x")
    assert service.slept == [0.25, 0.5]


def test_a_request_is_patient_for_so_long_in_all(service: Service, transport: Transport) -> None:
    service.on("POST", "x", 429, headers={"Retry-After": "25"})
    transport.post("x", b"{}", {})
    assert service.slept == [25, 25]
    # However long the config lets a record wait: the lease has to outlive the request.
    assert Patience(longest=3600.0).whole == 60.0
    assert Patience(longest=5.0).whole == 5.0


def test_time_that_answers_took_counts_as_patience(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    seconds = itertools.count(0, 25)
    monkeypatch.setattr("tenacity.time.monotonic", lambda: next(seconds))
    service.on("POST", "x", 429, headers={"Retry-After": "1"})
    transport = transport_to(service)
    transport.post("x", b"{}", {})
    assert len(service.calls("POST", "/x")) == 3


def test_a_write_is_over_before_its_lease(service: Service) -> None:
    """A queue, then three requests with their patience, the last of them with two tokens."""
    patience = Patience(50, 1.0, 3600.0)
    assert longest_write(60.0, patience) == 3 * (60.0 + 2 * (60.0 + 10.0 + 60.0)) + 60.0


def test_what_asks_us_to_slow_down_is_counted(service: Service, transport: Transport) -> None:
    service.on("POST", "x", 429, headers={"Retry-After": "7"})
    service.on("POST", "x", 503, headers={"Retry-After": "2"})
    service.on("POST", "x", 204)
    service.on("GET", "x", 503)
    service.on("GET", "x", body=RuntimeLoss("reset"))
    service.on("GET", "x", 429)
    service.on("GET", "x", 200)
    transport.post("x", b"{}", {})
    transport.get("x")
    assert service.slept == [7, 2, 1, 2, 4]
    assert transport.meter.read() == Throttling(3, 7 + 2 + 4)


def test_a_retry_after_as_a_date_is_as_long_as_the_service_means(
    service: Service, transport: Transport
) -> None:
    """Measured against the answer's own date; our clock is months behind."""
    dates = {
        "Date": "Wed, 21 Oct 2026 07:28:00 GMT",
        "Retry-After": "Wed, 21 Oct 2026 07:28:09 GMT",
    }
    service.on("POST", "x", 429, headers=dates)
    service.on("POST", "x", 429, headers={**dates, "Retry-After": "Wed, 21 Oct 2026 07:00:00 GMT"})
    service.on("POST", "x", 204)
    transport.post("x", b"{}", {})
    assert service.slept == [9, 2]


def test_a_long_retry_after_is_left_to_the_caller(service: Service, transport: Transport) -> None:
    service.on("POST", "x", 429, headers={"Retry-After": "290"})
    answer = transport.post("x", b"{}", {})
    assert isinstance(answer, Reply)
    assert answer.status == 429
    assert service.slept == []


@pytest.mark.parametrize("status", [408, 500, 502, 503, 504])
def test_a_write_that_may_have_happened_is_never_repeated(
    service: Service, transport: Transport, status: int
) -> None:
    service.on("POST", "x", status)
    answer = transport.post("x", b"{}", {})
    assert isinstance(answer, Reply)
    assert len(service.calls("POST", "/x")) == 1


@pytest.mark.parametrize("error", [RuntimeLoss("reset"), requests.ReadTimeout("slow")])
def test_a_lost_reply_to_a_write_is_told_and_not_repeated(
    service: Service, transport: Transport, error: Exception
) -> None:
    service.on("POST", "x", body=error)
    assert isinstance(transport.post("x", b"{}", {}), Lost)
    assert len(service.calls("POST", "/x")) == 1


def test_a_write_without_a_connection_is_sent_again(service: Service, transport: Transport) -> None:
    service.on("POST", "x", body=refused_connection())
    service.on("POST", "x", 503, headers={"Retry-After": "1"})
    service.on("POST", "x", 429)
    service.on("POST", "x", 204)
    answer = transport.post("x", b"{}", {})
    assert isinstance(answer, Reply)
    assert answer.status == 204
    assert service.slept == [1, 1, 4]


def test_a_service_that_stays_away(service: Service, transport: Transport) -> None:
    service.on("POST", "x", body=requests.ConnectTimeout("no answer"))
    service.on("GET", "x", body=refused_connection())
    assert isinstance(transport.post("x", b"{}", {}), Unsent)
    with pytest.raises(UnreachableError) as caught:
        transport.get("x")
    assert caught.value.code == "unreachable"
    assert "refused" in (caught.value.cause or "")


@pytest.mark.parametrize(
    ("why", "words"),
    [("unable to get local issuer", "not trusted"), ("certificate has expired", "has expired")],
)
def test_a_certificate_that_is_not_good(
    service: Service, transport: Transport, why: str, words: str
) -> None:
    service.on("GET", "x", body=untrusted_certificate(why))
    with pytest.raises(UnreachableError, match=words) as caught:
        transport.get("x")
    assert caught.value.code == "certificate-untrusted"
    assert service.slept == []


def test_links_to_another_host_are_not_followed(transport: Transport) -> None:
    with pytest.raises(UnreachableError) as caught:
        transport.get("https://org.example.evil.example/api/data/v9.2/x")
    assert caught.value.code == "link-foreign"
    assert transport.is_own("https://ORG.example/api/data/v9.2/x")


def test_an_explicit_ca_wins_over_the_environment(
    service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ca = tmp_path / "ca.pem"
    ca.write_text("not read here")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/elsewhere.pem")
    used: list[object] = []

    def send(self: object, request: object, **more: object) -> requests.Response:
        used.append(more["verify"])
        raise requests.ConnectTimeout("enough")

    monkeypatch.setattr(requests.Session, "send", send)
    transport_to(service, ca=str(ca)).post("x", b"", {})
    transport_to(service).post("x", b"", {})
    assert list(dict.fromkeys(used)) == [str(ca), "/elsewhere.pem"]


def test_settings_that_cannot_work(service: Service) -> None:
    with pytest.raises(ConfigError) as caught:
        transport_to(service, url="http://org.example")
    assert caught.value.code == "url-not-https"
    with pytest.raises(ConfigError) as caught:
        transport_to(service, ca="/no/such/ca.pem")
    assert caught.value.code == "ca-missing"


def test_the_time_of_a_reply_is_taken_around_it(service: Service, transport: Transport) -> None:
    service.on("GET", "x")
    reply = transport.get("x")
    assert reply.sent_at == reply.received_at == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def test_the_recommended_parallelism_is_heeded(service: Service) -> None:
    governor = Governor(most=32)
    transport = transport_to(service, governor=governor)
    service.on("GET", "x", headers={"x-ms-dop-hint": "7"})
    for _ in range(9):
        transport.get("x")
    assert governor.pace("cards").calls == READY * (7 + IN_TRANSIT)


@pytest.mark.parametrize(
    ("status", "after", "says"),
    [
        (429, 7.0, "in 7 s at the earliest; nothing is lost; if it stays so, lower"),
        (503, None, "later; nothing is lost; if it stays so, ask who runs it"),
    ],
)
def test_a_busy_service_is_told_with_what_to_do(
    status: int, after: float | None, says: str
) -> None:
    fault = Fault(status, "", "busy", retry_after=after)
    error = unavailable(SERVICE.naming, "https://crm.example", 3, fault)
    assert says in error.remedy
    assert ("connections" in error.remedy) == (status == 429)
