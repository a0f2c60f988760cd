"""What events say, in both envelopes, and what is no event."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.endpoints.finops.events import NotAnEvent, read_event

BUSINESS = {
    "BusinessEventId": "LoyaltyCardIssuedBusinessEvent",
    "BusinessEventLegalEntity": "usrt",
    "ControlNumber": 5637611083,
    "EventId": "3C47A4CD-0000-4000-8000-000000000001",
    "EventTime": "/Date(1767348000000)/",
    "ParentContextRecordSubjects": [],
    "MajorVersion": 0,
    "CardNumber": "55001",
}


def data_event(**more: object) -> dict[str, object]:
    """An execution context as the virtual table of cards sends it."""
    return {
        "MessageName": "Update",
        "PrimaryEntityName": "mserp_retailloyaltycardentity",
        "PrimaryEntityId": "9b2c1de0-1234-4c9a-8f00-aaaaaaaaaaaa",
        "InputParameters": [
            {"key": "Target", "value": image("Target", mserp_cardtendertype=option(3))},
            {"key": "PreImage", "value": image("PreImage", mserp_cardnumber="55001")},
        ],
        **more,
    }


def image(_name: str, **values: object) -> dict[str, object]:
    pairs = [{"key": key, "value": value} for key, value in values.items()]
    return {"LogicalName": "mserp_retailloyaltycardentity", "Attributes": pairs}


def option(value: int) -> dict[str, object]:
    return {"__type": "OptionSetValue:http://…", "Value": value}


def read(told: object) -> object:
    return read_event(json.dumps(told).encode())


def test_a_business_event_names_values_and_its_company() -> None:
    event = read_event(json.dumps(BUSINESS).encode())
    assert event.id == "3c47a4cd-0000-4000-8000-000000000001"
    assert (event.about, event.company) == ("loyaltycardissuedbusinessevent", "usrt")
    assert event.values["cardnumber"] == "55001"


def test_a_data_event_names_its_row_without_prefixes() -> None:
    event = read_event(json.dumps(data_event()).encode())
    assert event.about == "retailloyaltycardentity"
    assert event.values == {"cardnumber": "55001", "cardtendertype": 3}


def test_what_a_row_is_now_counts_more_than_what_it_was() -> None:
    parameters = [
        {"key": "Target", "value": image("Target", mserp_partynumber="new")},
        {"key": "PreImage", "value": image("PreImage", mserp_partynumber="old")},
    ]
    told = data_event(InputParameters=parameters)
    assert read_event(json.dumps(told).encode()).values == {"partynumber": "new"}


def test_an_event_without_a_name_of_its_own_is_known_by_its_text() -> None:
    same = json.dumps(data_event()).encode()
    assert read_event(same).id == read_event(same).id
    other = json.dumps(data_event(OperationCreatedOn="/Date(2)/")).encode()
    assert read_event(other).id != read_event(same).id
    nobody = data_event(EventId="00000000-0000-0000-0000-000000000000")
    assert len(read_event(json.dumps(nobody).encode()).id) == 64


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"null", b'"x"', b"\xff", b"{}", b'{"PrimaryEntityName": 7}', b"[" * 9999],
)
def test_what_is_no_event_is_refused(body: bytes) -> None:
    with pytest.raises(NotAnEvent):
        read_event(body)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=10,
)


@given(json_values, json_values)
def test_no_content_of_an_event_is_an_error(parameters: object, images: object) -> None:
    told = data_event(InputParameters=parameters, PreEntityImages=images, EventId=images)
    read(told)
    read({**BUSINESS, "BusinessEventLegalEntity": parameters, "EventId": images})
