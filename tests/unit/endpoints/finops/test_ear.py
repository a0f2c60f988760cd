"""What is heard: which rows of which entities, repetitions, other companies, floods."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest

from connector.endpoints.base import Capabilities, Entity, Key
from connector.endpoints.finops import ear as module
from connector.endpoints.finops.ear import Ear, Heard, Kind
from connector.mapping.columns import Column
from connector.mapping.values import Value, ValueType
from tests.unit.endpoints.finops.test_events import BUSINESS, data_event, image

CAPABILITIES = Capabilities("version", "once", False, False, False, 100, "key")


def entity(name: str, **key: ValueType) -> Entity:
    columns = {column: Column(column, type) for column, type in key.items()}
    return Entity(name, name, "id", columns, (Key("key", tuple(key)),), CAPABILITIES)


CARDS = entity("RetailLoyaltyCards", CardNumber=ValueType.TEXT)
CUSTOMERS = entity("CustomersV3", dataAreaId=ValueType.TEXT, CustomerAccount=ValueType.TEXT)


def id_for(_entity: str, key: Mapping[str, Value]) -> str:
    return ",".join(f"{name}={value}" for name, value in key.items())


def listening(*entities: Entity, company: str | None = None) -> Ear:
    ear = Ear(id_for, company)
    for one in entities or (CARDS,):
        ear.learn(one)
    return ear


def hears(ear: Ear, told: Mapping[str, object]) -> Heard:
    return ear.hear(json.dumps(told).encode())


def test_a_data_event_has_its_row_read_once() -> None:
    ear = listening()
    assert hears(ear, data_event()) == Heard(Kind.TAKEN, ("RetailLoyaltyCards",))
    assert ear.take("RetailLoyaltyCards") == ["CardNumber=55001"]
    assert ear.take("RetailLoyaltyCards") == []


def test_a_business_event_is_about_the_entity_whose_key_it_names() -> None:
    ear = listening(CARDS, CUSTOMERS)
    assert hears(ear, BUSINESS) == Heard(Kind.TAKEN, ("RetailLoyaltyCards",))
    both = {**BUSINESS, "EventId": "x", "CustomerAccount": "C1"}
    assert hears(ear, both).entities == ("RetailLoyaltyCards", "CustomersV3")
    assert ear.take("CustomersV3") == ["dataAreaId=usrt,CustomerAccount=C1"]


@pytest.mark.parametrize("key", ["", "a\x00b", "x" * 251, 55001, None])
def test_a_key_that_is_none_is_not_asked_for(key: object) -> None:
    """A service may refuse the read of it, and each time again."""
    ear = listening()
    assert hears(ear, {**BUSINESS, "CardNumber": key}).kind is Kind.UNRELATED
    assert ear.take("RetailLoyaltyCards") == []


def test_what_could_not_be_read_waits_on_before_all_others() -> None:
    ear = listening()
    for number in ("1", "2"):
        hears(ear, {**BUSINESS, "EventId": number, "CardNumber": number})
    taken = ear.take("RetailLoyaltyCards")
    hears(ear, {**BUSINESS, "EventId": "3", "CardNumber": "3"})
    ear.again("RetailLoyaltyCards", taken)
    assert ear.take("RetailLoyaltyCards") == [f"CardNumber={n}" for n in "123"]


def test_gaps_and_order_of_control_numbers_mean_nothing() -> None:
    ear = listening()
    for control in (9, 3, 100):
        told = {**BUSINESS, "EventId": str(control), "ControlNumber": control, "CardNumber": "x"}
        assert hears(ear, told).kind is Kind.TAKEN


def test_a_repetition_has_nothing_read_again() -> None:
    ear = listening()
    hears(ear, BUSINESS)
    ear.take("RetailLoyaltyCards")
    assert hears(ear, BUSINESS) == Heard(Kind.REPEATED)
    assert hears(ear, {**BUSINESS, "CardNumber": "forged"}).kind is Kind.REPEATED
    assert ear.take("RetailLoyaltyCards") == []


def test_repetitions_are_remembered_within_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "REMEMBERED", 3)
    ear = listening()
    for number in range(5):
        hears(ear, {**BUSINESS, "EventId": str(number)})
    assert hears(ear, {**BUSINESS, "EventId": "4"}).kind is Kind.REPEATED
    assert hears(ear, {**BUSINESS, "EventId": "0"}).kind is Kind.TAKEN


def test_an_event_about_nothing_of_ours_is_unrelated() -> None:
    ear = listening()
    test = {"BusinessEventId": "BusinessEventsTestEndpointContract", "EventId": "t"}
    assert hears(ear, test) == Heard(Kind.UNRELATED)
    other = data_event(PrimaryEntityName="mserp_vendvendorv2entity", InputParameters=[])
    assert hears(ear, other) == Heard(Kind.UNRELATED)
    assert Ear(id_for, None).hear(json.dumps(BUSINESS).encode()).kind is Kind.UNRELATED


def test_an_event_that_does_not_name_the_key_makes_a_look_due() -> None:
    ear = listening()
    parameters = [{"key": "Target", "value": image("Target", mserp_partynumber="p")}]
    assert hears(ear, data_event(InputParameters=parameters)).kind is Kind.TAKEN
    assert ear.take("RetailLoyaltyCards") == []
    assert ear.due("RetailLoyaltyCards")
    assert not ear.due("RetailLoyaltyCards")


def test_rows_of_other_companies_are_not_read() -> None:
    ear = listening(CUSTOMERS, company="USRT")
    told = {**BUSINESS, "CustomerAccount": "C1"}
    assert hears(ear, {**told, "BusinessEventLegalEntity": "usmf"}).kind is Kind.UNRELATED
    assert hears(ear, {**told, "EventId": "2", "BusinessEventLegalEntity": "USRT"}).entities
    assert ear.take("CustomersV3") == ["dataAreaId=usrt,CustomerAccount=C1"]


def test_a_flood_becomes_a_look(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WAITING", 3)
    ear = listening()
    for number in range(5):
        hears(ear, {**BUSINESS, "EventId": str(number), "CardNumber": f"C{number}"})
    assert len(ear.take("RetailLoyaltyCards")) == 3
    assert ear.due("RetailLoyaltyCards")


@pytest.mark.parametrize("value", [7, "", None, ["a"], {"Value": True}])
def test_a_key_of_another_type_is_no_key(value: object) -> None:
    ear = listening()
    hears(ear, data_event(InputParameters=[], EventId="e") | {"CardNumber": value})
    hears(ear, {**BUSINESS, "CardNumber": value})
    assert ear.take("RetailLoyaltyCards") == []
