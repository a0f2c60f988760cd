"""The forms of values on the wire, in both directions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connector.sandbox.finops.catalog import ENTITIES
from connector.sandbox.finops.entities import Kind
from connector.sandbox.finops.values import UnfitError, parse, renderer, unset
from tests.integration.sandbox.finops.conftest import CARDS, POINTS

if TYPE_CHECKING:
    from tests.conftest import FinopsSession

CUSTOMER = "CustomersV3(dataAreaId='usrt',CustomerAccount='C00000001')"


@pytest.mark.parametrize(
    ("entity", "column", "value"),
    [
        (CARDS, "CardNumber", 5),
        (CARDS, "CardNumber", True),
        (CARDS, "CardNumber", None),
        (CARDS, "CardTenderType", "blocked"),
        (CARDS, "CardTenderType", 3),
        (CARDS, "CardTenderType", "Nothing"),
        (CARDS, "LoyaltyEnrollmentDate", "2026-01-02"),
        (CARDS, "LoyaltyEnrollmentDate", "2026-01-02T00:00:00"),
        (CARDS, "LoyaltyEnrollmentDate", "2026-02-30T00:00:00Z"),
        (CARDS, "LoyaltyEnrollmentDate", "1899-12-31T00:00:00Z"),
        (CARDS, "LoyaltyEnrollmentDate", "2155-01-01T00:00:00Z"),
        (CARDS, "LoyaltyEnrollmentDate", None),
        (CARDS, "LoyaltyEnrollmentDate", 5),
        (CARDS, "LoyaltyEnrollmentTime", "5"),
        (CARDS, "LoyaltyEnrollmentTime", 5.0),
        (CARDS, "LoyaltyEnrollmentTime", 2**31),
        (CARDS, "LoyaltyEnrollmentTime", True),
        (POINTS, "MaximumLoyaltyRewardPoints", 2**63),
        (POINTS, "MaximumLoyaltyRewardPoints", None),
        (CARDS, "Nothing", "x"),
        (CARDS, "cardnumber", "x"),
    ],
)
def test_what_a_type_cannot_hold_is_a_400(
    finops: FinopsSession, entity: str, column: str, value: Any
) -> None:
    answer = finops.post(
        entity, json={"RewardPointId": "P", column: value} if entity == POINTS else {column: value}
    )
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert error["message"] == "The request is invalid."
    assert error["innererror"]["type"] == "Microsoft.OData.ODataException"
    assert finops.get(f"{entity}/$count").text == "0"


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("2026-01-02T00:00:00Z", "2026-01-02T12:00:00Z"),
        ("2026-01-02T23:59:59.999Z", "2026-01-02T12:00:00Z"),
        ("2026-01-02T01:00:00+02:00", "2026-01-01T12:00:00Z"),
        ("1900-01-01T00:00:00Z", "1900-01-01T12:00:00Z"),
        ("2154-12-31T23:59:59Z", "2154-12-31T12:00:00Z"),
    ],
)
def test_a_day_comes_back_at_noon(finops: FinopsSession, sent: str, shown: str) -> None:
    made = finops.post(CARDS, json={"LoyaltyEnrollmentDate": sent}).json()
    assert made["LoyaltyEnrollmentDate"] == shown


def test_a_moment_keeps_its_seconds(finops: FinopsSession) -> None:
    assert finops.get(CUSTOMER).json()["IdentificationValidUntil"] == "1900-01-01T00:00:00Z"
    sent = {"IdentificationValidUntil": "2154-12-31T23:59:59.7Z"}
    assert finops.patch(CUSTOMER, json=sent).status_code == 204
    assert finops.get(CUSTOMER).json()["IdentificationValidUntil"] == "2154-12-31T23:59:59Z"


@pytest.mark.parametrize(
    ("sent", "shown"), [(0, "0"), (100.5, "100.5"), (-0.01, "-0.01"), (1e6, "1000000")]
)
def test_decimals_are_numbers(finops: FinopsSession, sent: float, shown: str) -> None:
    assert finops.patch(CUSTOMER, json={"CreditLimit": sent}).status_code == 204
    assert f'"CreditLimit":{shown},' in finops.get(CUSTOMER).text


def test_null_unsets_where_it_is_allowed(finops: FinopsSession) -> None:
    finops.post(
        CARDS, json={"CardNumber": "1", "CardTenderType": "Blocked", "PartyNumber": "P000000001"}
    )
    sent = {"CardTenderType": None, "PartyNumber": None}
    assert finops.patch(f"{CARDS}('1')", json=sent).status_code == 204
    row = finops.get(f"{CARDS}('1')").json()
    assert (row["CardTenderType"], row["PartyNumber"]) == ("AsCardTender", "")


FIELDS = [f for e in ENTITIES for f in e.listed if f.reference is None]
JSON = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False),
    st.text(max_size=50),
    st.sampled_from(["2026-01-02T12:00:00Z", "Blocked", "Yes", "1900-01-01T00:00:00+14:00"]),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text(max_size=3), st.none(), max_size=1),
)


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])
@given(field=st.sampled_from(FIELDS), value=JSON)
def test_a_value_is_taken_or_refused_and_what_is_taken_is_stable(field: Any, value: Any) -> None:
    """What is shown of a value, sent again, is the same value."""
    try:
        stored = parse(field, value)
    except UnfitError:
        return
    show = renderer(field)
    if field.kind is Kind.DECIMAL:
        assert parse(field, stored / 10**field.places) == stored
    else:
        assert parse(field, stored if show is None else show(stored)) == stored


def test_what_is_unset_is_shown() -> None:
    for field in FIELDS:
        show = renderer(field)
        assert show is None or show(unset(field)) is not None
