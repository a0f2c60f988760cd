"""Reward points for tests of FetchXML, and asking for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.conftest import DataverseSession


POINTS = "msdyn_loyaltyrewardpoints"
POINT = "msdyn_loyaltyrewardpoint"
CURRENCIES = "transactioncurrencies"
CURRENCY = "transactioncurrency"
FORMATTED = "OData.Community.Display.V1.FormattedValue"
ANNOTATED = {"Prefer": 'odata.include-annotations="*"'}

KINDS: dict[str, dict[str, Any]] = {
    "A": {"msdyn_redeemranking": 3, "currency": "EUR"},
    "B": {"msdyn_redeemranking": 1, "currency": "EUR"},
    "C": {"msdyn_redeemranking": 5, "currency": "DKK"},
    "D": {"msdyn_redeemable": True},
}


def put_points(dataverse: DataverseSession) -> None:
    """Four kinds of points; the last has neither ranking nor currency."""
    for number, kind in KINDS.items():
        body = {"msdyn_rewardpointid": number, **kind}
        code = body.pop("currency", None)
        if code:
            url = f"{CURRENCIES}(isocurrencycode='{code}')"
            body["msdyn_RewardPointCurrency@odata.bind"] = url
        answer = dataverse.post(POINTS, json=body)
        assert answer.status_code == 204, answer.text


def fetch(
    dataverse: DataverseSession, xml: str, set_name: str = POINTS, **headers: str
) -> dict[str, Any]:
    answer = dataverse.get(set_name, params={"fetchXml": xml}, headers=headers)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def about(inside: str, attributes: str = "", table: str = POINT) -> str:
    return f"<fetch {attributes}><entity name='{table}'>{inside}</entity></fetch>"


NUMBER = "<attribute name='msdyn_rewardpointid' /><order attribute='msdyn_rewardpointid' />"

LINK = (
    f"<link-entity name='{CURRENCY}' from='transactioncurrencyid' "
    "to='msdyn_rewardpointcurrency' alias='c' link-type='{kind}'>{inside}</link-entity>"
)


def link(kind: str, inside: str) -> str:
    return LINK.format(kind=kind, inside=inside)
