"""What a batch does, operation by operation, and what it leaves behind."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connector.errors import MapError
from connector.ledger.entity_store import EntityStore
from connector.ledger.ledger import Ledger
from connector.ledger.operations import (
    Absent,
    Change,
    Done,
    Insert,
    Operation,
    Outdated,
    Record,
    Refused,
    Remove,
    Result,
    Taken,
    Upsert,
)

A, B, C = (f"aaaaaaaa-0000-7000-8000-00000000000{n}" for n in (1, 2, 3))


def guid(number: int) -> str:
    return f"aaaaaaaa-0000-7000-8000-{number:012x}"


def card(number: str, **values: object) -> dict[str, object]:
    return {"CardNumber": number, **values}


def value(store: EntityStore, record: Record | None, name: str) -> object:
    assert record is not None
    return record.values[store.entity.places([name])[0]]


def refusal(result: Result) -> str:
    assert isinstance(result, Refused), result
    return result.error.code


# ---------------------------------------------------------------------------- insert


def test_an_insert_takes_defaults_and_the_id_of_its_creator(cards: EntityStore) -> None:
    (result,) = cards.apply([Insert(A.upper(), card("55001 "))], by="ann")
    assert isinstance(result, Done)
    assert result.effect == "created"
    record = result.record
    assert record is not None
    assert (record.id, record.version, record.modified_by) == (A, 1, "ann")
    assert record.modified_at == datetime(2026, 1, 2, 10, 0, tzinfo=UTC)
    assert record.values == ("55001", "AsCardTender", *[None] * 7)
    assert cards.read([A]) == [record]


def test_an_id_or_key_that_is_there_is_answered_with_its_holder(cards: EntityStore) -> None:
    results = cards.apply(
        [
            Insert(A, card("Abc")),
            Insert(A, card("other")),
            Insert(B, card("aBC  ")),
            Insert(C, card(" Abc")),
        ],
        by="ann",
    )
    assert results[1:3] == [Taken(A), Taken(A)]
    assert isinstance(results[3], Done), "a leading blank makes another key"


def test_an_id_that_is_no_guid_is_refused(cards: EntityStore) -> None:
    (result,) = cards.apply([Insert("17", card("1"))], by="ann")
    assert refusal(result) == "id-invalid"


@pytest.mark.parametrize("number", [None, "", "  "])
def test_a_record_without_key_is_refused(cards: EntityStore, number: str | None) -> None:
    (result,) = cards.apply([Insert(A, {"CardNumber": number})], by="ann")
    assert refusal(result) == "key-missing"


def test_a_bad_operation_leaves_the_good_ones_alone(cards: EntityStore) -> None:
    results = cards.apply(
        [
            Insert(A, card("1")),
            Insert(B, card("2", CardTenderType="Gold")),
            Insert(C, card("3")),
        ],
        by="ann",
    )
    assert [type(result) for result in results] == [Done, Refused, Done]
    assert cards.count() == 2


def test_an_unknown_column_refuses_the_call_before_anything_is_done(cards: EntityStore) -> None:
    with pytest.raises(MapError):
        cards.apply([Insert(A, card("1")), Insert(B, card("2", Balance=7))], by="ann")
    assert cards.count() == 0


# ---------------------------------------------------------------------------- change, remove


def test_a_change_touches_only_what_it_names(cards: EntityStore, ledger: Ledger) -> None:
    cards.create(card("1", LoyaltyEnrollmentDate=date(2020, 1, 2)), id=A, by="ann")
    (result,) = cards.apply([Change(A, 1, {"cardtendertype": "blocked"})], by="bob")
    assert isinstance(result, Done)
    assert result.effect == "updated"
    assert result.record is not None
    assert (result.record.version, result.record.modified_by) == (2, "bob")
    assert value(cards, result.record, "LoyaltyEnrollmentDate") == date(2020, 1, 2)
    assert value(cards, result.record, "CardTenderType") == "Blocked"
    assert cards.read([A]) == [result.record]


def test_a_wrong_expected_version_changes_nothing(cards: EntityStore) -> None:
    cards.create(card("1"), id=A, by="ann")
    cards.update(A, {"CardTenderType": "Blocked"}, by="ann", version=1)
    results = cards.apply([Change(A, 1, {"CardTenderType": "NoTender"}), Remove(A, 1)], by="bob")
    assert results == [Outdated(2), Outdated(2)]
    assert value(cards, cards.find("1"), "CardTenderType") == "Blocked"


def test_equal_values_make_no_version_and_no_feed_entry(cards: EntityStore, ledger: Ledger) -> None:
    before = cards.create(card("1", LoyaltyEnrollmentTime=5), id=A, by="ann")
    (result,) = cards.apply([Change(A, 1, {"LoyaltyEnrollmentTime": 5})], by="bob")
    assert result == Done(before, "unchanged")
    assert ledger.head() == 1


def test_a_mandatory_value_cannot_be_emptied(cards: EntityStore) -> None:
    cards.create(card("1"), id=A, by="ann")
    results = cards.apply(
        [Change(A, None, {"CardTenderType": None}), Change(A, None, {"CardNumber": ""})], by="bob"
    )
    assert [refusal(result) for result in results] == ["value-missing", "value-missing"]


def test_what_is_not_there_is_absent(cards: EntityStore) -> None:
    assert cards.apply([Change(A, None, {}), Remove(A, None)], by="x") == [Absent(), Absent()]


def test_operations_of_one_batch_build_on_each_other(cards: EntityStore) -> None:
    results = cards.apply(
        [
            Insert(A, card("1")),
            Change(A, 1, {"CardTenderType": "Blocked"}),
            Change(A, 1, {"CardTenderType": "NoTender"}),
            Remove(A, 2),
            Change(A, None, {}),
            Insert(B, card("1")),
            Insert(A, card("2")),
        ],
        by="ann",
    )
    kinds = [type(result) for result in results]
    assert kinds == [Done, Done, Outdated, Done, Absent, Done, Done]
    assert {record.values[0] for record in cards.listed(10)} == {"1", "2"}


# ---------------------------------------------------------------------------- keys


def test_a_key_can_be_renamed_but_not_to_one_that_is_held(cards: EntityStore) -> None:
    cards.apply([Insert(A, card("1")), Insert(B, card("2"))], by="ann")
    taken, renamed = cards.apply(
        [Change(A, None, card("2 ")), Change(A, None, card("3"))], by="bob"
    )
    assert taken == Taken(B)
    assert isinstance(renamed, Done)
    assert cards.find("1") is None


def test_a_new_spelling_of_the_same_key_is_a_change(cards: EntityStore) -> None:
    cards.create(card("abc"), id=A, by="ann")
    record = cards.update(A, card("ABC"), by="bob")
    assert (record.values[0], record.version) == ("ABC", 2)


def test_two_records_can_swap_keys_within_a_batch(cards: EntityStore) -> None:
    cards.apply([Insert(A, card("1")), Insert(B, card("2"))], by="ann")
    results = cards.apply(
        [Change(A, None, card("x")), Change(B, None, card("1")), Change(A, None, card("2"))],
        by="bob",
    )
    assert all(isinstance(result, Done) for result in results)
    assert {record.id: record.values[0] for record in cards.listed(9)} == {A: "2", B: "1"}


# ---------------------------------------------------------------------------- references


def test_an_unknown_party_is_refused_and_named(cards: EntityStore) -> None:
    (result,) = cards.apply([Insert(A, card("1", PartyNumber="P-7"))], by="ann")
    assert refusal(result) == "reference-unknown"
    assert isinstance(result, Refused)
    assert "P-7" in result.error.message
    assert result.error.subject.field == "PartyNumber"


def test_references_are_created_when_asked_and_spelled_as_first_seen(cards: EntityStore) -> None:
    unit = {"OmOperatingUnitNumber": "S1"}
    first, second = cards.apply(
        [
            Insert(A, card("1", PartyNumber="P-7", **unit)),
            Insert(B, card("2", PartyNumber="p-7 ")),
        ],
        by="ann",
        create_references=True,
    )
    assert isinstance(first, Done)
    assert isinstance(second, Done)
    assert value(cards, second.record, "PartyNumber") == "P-7"
    again = cards.create(card("3", PartyNumber="p-7", OmOperatingUnitNumber="s1"), by="bob")
    assert value(cards, again, "OmOperatingUnitNumber") == "S1"


def test_a_change_of_another_field_needs_no_reference_again(cards: EntityStore) -> None:
    cards.apply([Insert(A, card("1", PartyNumber="P"))], by="ann", create_references=True)
    record = cards.update(A, {"CardTenderType": "Blocked"}, by="bob")
    assert value(cards, record, "PartyNumber") == "P"


def point(**values: object) -> dict[str, Any]:
    return {"RewardPointId": "Silver", "RewardPointType": "Quantity", **values}


def test_an_unknown_currency_is_refused_even_where_references_are_created(
    points: EntityStore,
) -> None:
    wanted = point(RewardPointType="Amount", RewardPointCurrency="XYZ")
    (result,) = points.apply([Insert(A, wanted)], by="ann", create_references=True)
    assert refusal(result) == "reference-unknown"


def test_points_by_amount_need_a_currency(points: EntityStore) -> None:
    (result,) = points.apply([Insert(A, point(RewardPointType="Amount"))], by="ann")
    assert refusal(result) == "currency-required"
    record = points.create(point(RewardPointType="Amount", RewardPointCurrency="eur"), by="ann")
    assert value(points, record, "RewardPointCurrency") == "EUR"
    (result,) = points.apply([Change(record.id, None, {"RewardPointCurrency": None})], by="bob")
    assert refusal(result) == "currency-required"


def test_a_point_kind_needs_its_type_and_expires_in_days_unless_told(points: EntityStore) -> None:
    (result,) = points.apply([Insert(A, {"RewardPointId": "Silver"})], by="ann")
    assert refusal(result) == "value-missing"
    record = points.create(point(), by="ann")
    assert value(points, record, "ExpirationTimeUnit") == "Day"
    assert value(points, record, "ExpirationTimeValue") is None


# ---------------------------------------------------------------------------- upsert


def test_an_upsert_goes_by_key_and_keeps_what_it_does_not_name(cards: EntityStore) -> None:
    cards.create(card("abc", LoyaltyEnrollmentTime=5), id=A, by="ann")
    results = cards.apply(
        [
            Upsert(card("ABC", CardTenderType="Blocked")),
            Upsert(card("new")),
            Upsert(card("new")),
            Upsert(card("new", CardTenderType="NoTender")),
        ],
        by="bob",
    )
    assert [result.effect for result in results if isinstance(result, Done)] == [
        "updated",
        "created",
        "unchanged",
        "updated",
    ]
    assert value(cards, cards.find("abc"), "LoyaltyEnrollmentTime") == 5


# ---------------------------------------------------------------------------- against a model

_OPERATIONS = st.lists(
    st.one_of(
        st.builds(
            lambda n, key: Insert(guid(n), card(key)),
            st.integers(1, 4),
            st.sampled_from(["a", "b", "c"]),
        ),
        st.builds(
            lambda n, key, version: Change(guid(n), version, card(key)),
            st.integers(1, 4),
            st.sampled_from(["a", "b", "c", "d"]),
            st.one_of(st.none(), st.integers(1, 6)),
        ),
        st.builds(lambda n: Remove(guid(n), None), st.integers(1, 4)),
        st.builds(lambda key: Upsert(card(key, CardTenderType="Blocked")), st.sampled_from("ab")),
    ),
    max_size=12,
)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(operations=_OPERATIONS, cut=st.integers(0, 12))
def test_how_operations_are_split_into_batches_makes_no_difference(
    ledger: Ledger, cards: EntityStore, operations: list[Operation], cut: int
) -> None:
    """One batch, two batches, or one operation at a time end in the same records."""

    def ended(parts: list[list[Operation]]) -> tuple[list[str], list[tuple[Any, ...]]]:
        cards.apply([Remove(record.id, None) for record in cards.listed(100)], by="reset")
        base = ledger.head()
        kinds = []
        for part in parts:
            shifted = [
                Change(one.id, base + one.version, one.values)
                if isinstance(one, Change) and one.version is not None
                else one
                for one in part
            ]
            kinds += [type(result).__name__ for result in cards.apply(shifted, by="x")]
        left = [(record.version - base, record.values[:2]) for record in cards.listed(100)]
        return kinds, left

    whole = ended([operations])
    assert ended([operations[:cut], operations[cut:]]) == whole
    assert ended([[one] for one in operations]) == whole
