"""In whose name requests leave: refused tokens, other proofs, several application users."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import pytest

from connector.endpoints.dataverse.service import SERVICE
from connector.endpoints.web.answers import Reply
from connector.endpoints.web.auth import Nobody, Password
from connector.endpoints.web.governor import Governor, Held
from connector.endpoints.web.transport import TokenSource, Transport
from connector.errors import AccessError, UnreachableError
from tests.unit.endpoints.web.reaching import HOST, transport_to

if TYPE_CHECKING:
    from tests.unit.endpoints.scripted import Service


@pytest.fixture
def transport(service: Service) -> Transport:
    return transport_to(service)


def test_a_refused_token_is_replaced_once(service: Service, transport: Transport) -> None:
    service.on("POST", "x", 401)
    service.on("POST", "x", 204)
    answer = transport.post("x", b"{}", {})
    assert isinstance(answer, Reply)
    assert answer.status == 204
    assert service.tokens_rejected == ["token-0"]


def test_a_token_refused_twice_is_an_access_error(service: Service, transport: Transport) -> None:
    service.on("GET", "x", 401, headers={"WWW-Authenticate": "Bearer authorization_uri=https://a"})
    with pytest.raises(AccessError) as caught:
        transport.get("x")
    assert caught.value.code == "token-refused"
    assert "token-1" not in str(caught.value)


def signing_in(service: Service, source: TokenSource) -> Transport:
    governor = Governor(clock=service.patience.monotonic, sleep=service.patience.sleep)
    return Transport(
        SERVICE,
        HOST,
        tokens=[source],
        ca=None,
        patience=service.patience,
        clock=service.clock,
        timeout=60,
        connections=2,
        governor=governor,
    )


def test_a_service_may_want_a_password(service: Service) -> None:
    service.on("GET", "x")
    service.on("GET", "y", 401)
    transport = signing_in(service, Password("Zoë", "p:w"))
    transport.get("x")
    sent = service.calls("GET", "/x")[0].headers["Authorization"]
    assert sent == "Basic " + base64.b64encode("Zoë:p:w".encode()).decode()
    with pytest.raises(AccessError) as caught:
        transport.get("y")
    assert caught.value.code == "password-refused"
    assert "p:w" not in str(caught.value)


def test_a_service_may_want_no_proof(service: Service) -> None:
    service.on("GET", "x")
    service.on("GET", "y", 401)
    transport = signing_in(service, Nobody())
    transport.get("x")
    assert "Authorization" not in service.calls("GET", "/x")[0].headers
    with pytest.raises(AccessError) as caught:
        transport.get("y")
    assert caught.value.code == "sign-in-required"


class Second:
    """The tokens of another application user."""

    scheme = "Bearer"

    def token(self, rejected: str | None = None) -> str:
        assert rejected is None
        return "second"


def two_users(service: Service) -> Transport:
    patience = service.patience
    governor = Governor(users=2, clock=patience.monotonic, sleep=patience.sleep)
    return Transport(
        SERVICE,
        HOST,
        tokens=[service, Second()],
        ca=None,
        patience=patience,
        clock=service.clock,
        timeout=60,
        connections=2,
        governor=governor,
    )


def bearers(service: Service) -> list[str]:
    made = [*service.calls("GET", "/x"), *service.calls("POST", "/x")]
    return [call.headers["Authorization"].removeprefix("Bearer ") for call in made]


def test_requests_go_round_the_application_users(service: Service) -> None:
    service.on("GET", "x")
    transport = two_users(service)
    for _ in range(3):
        transport.get("x")
    transport.get("x", user=0)
    assert bearers(service) == ["token-0", "second", "token-0", "token-0"]


def test_a_refused_request_leaves_at_once_as_somebody_else(service: Service) -> None:
    service.on("POST", "x", 429, headers={"Retry-After": "30"})
    service.on("POST", "x", 204)
    two_users(service).post("x", b"{}", {})
    assert bearers(service) == ["token-0", "second"]
    assert sum(service.slept) == 0


def test_a_refusal_holds_other_requests_too(service: Service, transport: Transport) -> None:
    service.on("POST", "x", 429, headers={"Retry-After": "290"})
    service.on("GET", "x", 200)
    transport.post("x", b"{}", {})
    assert transport.post("x", b"{}", {}) == Held(290.0)
    with pytest.raises(UnreachableError) as caught:
        transport.get("x")
    assert caught.value.code == "throttled"
    assert "in 290 s" in caught.value.remedy
    assert len(service.calls("POST", "/x")) == 1
    service.seconds += 290.0
    assert transport.get("x").status == 200


@pytest.mark.parametrize("affinity", [False, True])
def test_the_cookie_of_a_web_server_is_kept_on_demand(service: Service, affinity: bool) -> None:
    service.on("GET", "x", headers={"Set-Cookie": "ARRAffinity=server-7; Path=/; Secure"})
    transport = Transport(
        SERVICE,
        HOST,
        tokens=[service],
        ca=None,
        patience=service.patience,
        clock=service.clock,
        timeout=60,
        connections=2,
        governor=Governor(),
        affinity=affinity,
    )
    transport.get("x")
    transport.get("x")
    sent = service.calls("GET", "/x")[1].headers.get("Cookie")
    assert sent == ("ARRAffinity=server-7" if affinity else None)
