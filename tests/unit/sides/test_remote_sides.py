"""Sides opened by their settings: how each signs in, and what its tokens are for."""

from __future__ import annotations

from typing import Any

import pytest

from connector.config.policies import RetrySettings
from connector.config.sides import FinopsSettings, ODataV2Settings, ODataV4Settings
from connector.endpoints.base import Endpoint
from connector.endpoints.finops.service import naming_of
from connector.endpoints.manner import Manner
from connector.endpoints.odata_v2 import Finding, ODataV2Endpoint
from connector.endpoints.web.auth import Nobody, Password, Tokens
from connector.endpoints.web.credentials import Application, ManagedIdentity
from connector.endpoints.web.oauth import ClientCredentials
from connector.errors import ConfigError
from connector.sides.connecting import credential, token_source
from connector.sides.remote import finops, odata_v2, odata_v4

NAMING = naming_of("commerce")
SIGN_IN: dict[str, Any] = {
    "authority": "https://login.example/tenant",
    "client_id": "app",
    "client_secret": "env:SIDE_SECRET",
}


@pytest.fixture(autouse=True)
def secret(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    monkeypatch.setenv("SIDE_SECRET", "s")
    monkeypatch.chdir(tmp_path_factory.mktemp("project"))


def v4(**keys: Any) -> ODataV4Settings:
    return ODataV4Settings(kind="odata-v4", url="https://erp.example/odata/v4", **keys)


def environment(url: str = "https://fo.example", **keys: Any) -> FinopsSettings:
    return FinopsSettings(kind="finops", url=url, **{**SIGN_IN, **keys})


def test_each_way_of_signing_in_has_its_source() -> None:
    assert isinstance(token_source(v4(), NAMING), Nobody)
    basic = v4(auth="basic", username="u", password="env:SIDE_SECRET")
    assert isinstance(token_source(basic, NAMING), Password)
    assert isinstance(token_source(v4(auth="client-secret", **SIGN_IN), NAMING), Tokens)
    assert isinstance(token_source(v4(auth="managed-identity"), NAMING), Tokens)


def test_a_credential_is_of_the_kind_the_settings_name() -> None:
    def made(side: ODataV4Settings) -> object:
        return credential(side, side.auth, side.url, None, NAMING)

    own = {key: value for key, value in SIGN_IN.items() if key != "authority"}
    elsewhere = v4(auth="client-secret", token_url="https://erp.example/token", **own)
    assert isinstance(made(v4(auth="client-secret", **SIGN_IN)), Application)
    assert isinstance(made(elsewhere), ClientCredentials)
    assert isinstance(made(v4(auth="managed-identity")), ManagedIdentity)


def test_a_secret_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SIDE_SECRET")
    with pytest.raises(ConfigError) as caught:
        token_source(environment(), NAMING)
    assert caught.value.code == "secret-missing"


def opened(endpoint: Endpoint) -> str:
    """The address an endpoint asks; closed at once."""
    base: str = endpoint._transport.base  # type: ignore[attr-defined]
    endpoint.close()
    return base


@pytest.mark.parametrize("url", ["https://fo.example", "https://fo.example/data/"])
def test_an_environment_is_asked_at_data(url: str) -> None:
    made = finops("commerce", environment(url), RetrySettings(), lambda: False, Manner.COMMAND)
    assert opened(made) == "https://fo.example/data/"


def test_a_service_is_asked_at_its_path() -> None:
    made = odata_v4("north", v4(), RetrySettings(), lambda: False, Manner.COMMAND)
    assert opened(made) == "https://erp.example/odata/v4/"


def v2(**keys: Any) -> ODataV2Endpoint:
    side = ODataV2Settings.model_validate(
        {"kind": "odata-v2", "url": "https://shop.example/odata/Loyalty", **keys}
    )
    made = odata_v2("shop", side, RetrySettings(), lambda: False, Manner.COMMAND)
    assert isinstance(made, ODataV2Endpoint)
    return made


def test_the_client_of_an_sap_system_is_sent_with_every_request() -> None:
    made = v2(url="https://erp.example/sap/opu/odata/sap/LOYALTY?sap-client=100")
    assert made._transport._session.headers["sap-client"] == "100"
    assert opened(made) == "https://erp.example/sap/opu/odata/sap/LOYALTY/"


def test_changes_are_found_as_the_config_says_for_each_entity() -> None:
    cards = {"by": "watermark", "column": "Changed", "sweep_minutes": 5}
    made = v2(changes={"entities": {"Cards": cards}})
    assert made._finding("Cards") == Finding("Changed", None, 120.0, 300.0)
    assert made._finding("PointKinds") == Finding()
    made.close()
