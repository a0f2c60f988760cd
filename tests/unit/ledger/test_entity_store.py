"""Reading by id, by column and by pages; single writes and their errors."""

from __future__ import annotations

import pytest

from connector.errors import MapError, RecordError
from connector.ledger.entity_store import EntityStore
from connector.ledger.ledger import Ledger
from connector.ledger.operations import Upsert
from connector.ledger.sql import IN_CHUNK


def filled(store: EntityStore, *numbers: str) -> dict[str, str]:
    """Cards with these numbers; their ids."""
    return {number: store.create({"CardNumber": number}, by="ann").id for number in numbers}


def numbers(store: EntityStore, column: str, *values: str) -> dict[str, list[str]]:
    found = store.read_by(column, values, ["CardNumber"])
    return {key: [str(record.values[0]) for record in records] for key, records in found.items()}


def test_columns_come_in_the_order_asked_for_and_in_any_case(cards: EntityStore) -> None:
    ids = filled(cards, "1")
    (record,) = cards.read([ids["1"]], ["CARDTENDERTYPE", "cardnumber"])
    assert record.values == ("AsCardTender", "1")
    with pytest.raises(MapError):
        cards.read([ids["1"]], ["Balance"])


def test_ids_compare_without_case_and_absent_ones_are_left_out(cards: EntityStore) -> None:
    ids = filled(cards, "1")
    asked = [ids["1"].upper(), ids["1"], "00000000-0000-0000-0000-000000000000", "nonsense"]
    assert [record.values[0] for record in cards.read(asked)] == ["1"]


def test_keys_compare_without_case_and_trailing_blanks(cards: EntityStore) -> None:
    filled(cards, "Äb1", "äb2", " äb1")
    assert numbers(cards, "CardNumber", "äB1  ", "nobody") == {"äb1": ["Äb1"]}


def test_other_text_columns_compare_like_keys(cards: EntityStore) -> None:
    with_party = [Upsert({"CardNumber": n, "PartyNumber": "Ö-1"}) for n in ("1", "2")]
    cards.apply(with_party, by="ann", create_references=True)
    cards.create({"CardNumber": "3", "ReplacementCardNumber": "ÉX"}, by="ann")
    assert numbers(cards, "partynumber", "ö-1 ") == {"ö-1": ["1", "2"]}
    assert numbers(cards, "ReplacementCardNumber", "éx") == {"éx": ["3"]}


def test_only_text_columns_can_be_looked_up(cards: EntityStore) -> None:
    with pytest.raises(MapError) as caught:
        cards.read_by("CardTenderType", ["Blocked"])
    assert caught.value.code == "column-not-text"


def test_more_values_than_one_query_takes(cards: EntityStore) -> None:
    many = [f"{number}" for number in range(2 * IN_CHUNK + 1)]
    cards.apply([Upsert({"CardNumber": number}) for number in many], by="ann")
    assert len(cards.read_by("CardNumber", many)) == len(many)
    ids = [record.id for record in cards.listed(5000)]
    assert len(cards.read(ids)) == len(many)


def test_pages_cover_the_table_once(cards: EntityStore) -> None:
    filled(cards, *"abcdefg")
    seen, after = [], None
    while page := cards.page(after, 3, ["CardNumber"]):
        assert len(page) <= 3
        seen += [record.values[0] for record in page]
        after = page[-1].id
    assert seen == list("abcdefg")


def test_records_are_listed_by_key(cards: EntityStore) -> None:
    filled(cards, "b", "C", "a")
    assert [record.values[0] for record in cards.listed(2)] == ["a", "b"]
    assert [record.values[0] for record in cards.listed(2, after="B")] == ["C"]


def test_a_record_is_found_by_key_or_id(cards: EntityStore) -> None:
    ids = filled(cards, "abc")
    by_key, by_id = cards.find("ABC "), cards.find(ids["abc"])
    assert by_key is not None
    assert by_key == by_id
    assert cards.find("nobody") is None


def test_a_single_write_that_cannot_be_done_raises_why(cards: EntityStore, ledger: Ledger) -> None:
    ids = filled(cards, "1", "2")
    with pytest.raises(RecordError) as exists:
        cards.create({"CardNumber": "1"}, by="ann")
    with pytest.raises(RecordError) as changed:
        cards.update(ids["1"], {"CardTenderType": "Blocked"}, by="ann", version=7)
    with pytest.raises(RecordError) as missing:
        cards.delete(ledger.new_id(), by="ann")
    with pytest.raises(RecordError) as refused:
        cards.update(ids["1"], {"CardTenderType": "Gold"}, by="ann")
    codes = [caught.value.code for caught in (exists, changed, missing, refused)]
    assert codes == ["record-exists", "record-changed", "record-missing", "choice-unknown"]
    assert cards.count() == 2
