"""What is known of the rows lookups point to."""

from __future__ import annotations

import pytest

from connector.mapping.references import Lookup
from connector.mapping.values import Side


@pytest.fixture
def currencies() -> Lookup:
    return Lookup(Side.DATAVERSE, "transactioncurrencies", "isocurrencycode")


def test_nothing_is_known_before_it_was_asked(currencies: Lookup) -> None:
    assert currencies.id_of("EUR") is None
    assert currencies.text_of("1") is None
    assert not currencies.asked_text("EUR")
    assert not currencies.asked_id("1")


def test_a_row_is_found_both_ways_whatever_the_case(currencies: Lookup) -> None:
    currencies.add("1", "EUR")
    assert currencies.id_of("EUR") == currencies.id_of("eur ") == "1"
    assert currencies.text_of("1") == "EUR"
    assert currencies.asked_text("Eur")
    assert currencies.asked_id("1")
    assert not currencies.ambiguous("EUR")


def test_a_missing_answer_is_an_answer_until_the_row_arrives(currencies: Lookup) -> None:
    currencies.miss_texts(["XXX"])
    currencies.miss_ids(["9"])
    assert currencies.asked_text("xxx")
    assert currencies.asked_id("9")
    assert currencies.id_of("XXX") is None
    assert not currencies.ambiguous("XXX")
    currencies.add("9", "XXX")
    assert currencies.id_of("XXX") == "9"
    assert currencies.text_of("9") == "XXX"


def test_rows_that_share_a_text_find_none_of_them(currencies: Lookup) -> None:
    currencies.add("1", "EUR")
    currencies.add("2", "EUR")
    assert currencies.id_of("EUR") is None
    assert currencies.ambiguous("EUR")
    assert currencies.text_of("1") == currencies.text_of("2") == "EUR"


def test_the_exact_spelling_comes_first(currencies: Lookup) -> None:
    currencies.add("1", "EUR")
    currencies.add("2", "eur")
    assert currencies.id_of("EUR") == "1"
    assert currencies.id_of("eur") == "2"
    assert currencies.id_of("Eur") is None
    assert currencies.ambiguous("Eur")


def test_the_same_row_twice_is_no_ambiguity(currencies: Lookup) -> None:
    currencies.add("1", "EUR")
    currencies.add("1", "EUR")
    assert currencies.id_of("EUR") == "1"


def test_rows_told_of_anew_replace_those_known(currencies: Lookup) -> None:
    currencies.add("1", "EUR")
    currencies.add("2", "eur ")
    currencies.add("3", "USD")
    currencies.forget(["Eur"])
    assert not currencies.asked_text("EUR")
    assert currencies.id_of("USD") == "3"
    currencies.add("4", "EUR")
    assert currencies.id_of("eur") == "4"
    assert not currencies.ambiguous("EUR")


def test_another_row_of_a_known_text_makes_what_is_known_outdated(currencies: Lookup) -> None:
    assert not currencies.outdated("1", "EUR")
    currencies.add("1", "EUR")
    assert not currencies.outdated("1", "eur")
    assert currencies.outdated("2", "eur")


def test_between_two_runs_everything_is_forgotten(currencies: Lookup) -> None:
    currencies.add("1", "EUR")
    currencies.miss_texts(["XXX"])
    currencies.miss_ids(["9"])
    currencies.clear()
    assert currencies.id_of("EUR") is None
    assert currencies.text_of("1") is None
    assert not any(currencies.asked_text(text) for text in ("EUR", "XXX"))
    assert not any(currencies.asked_id(id) for id in ("1", "9"))


def test_a_lookup_over_two_steps_forgets_both(currencies: Lookup) -> None:
    through = Lookup(Side.DATAVERSE, "accounts", "transactioncurrencyid", currencies)
    currencies.add("1", "EUR")
    through.add("7", "1")
    through.clear()
    assert through.spoken("7") is None
    assert currencies.text_of("1") is None
