"""What was sent, told from what came back."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from connector.engine.news.doubt import as_sent, shortened
from connector.engine.news.observe import observe
from connector.engine.plan import plan
from connector.engine.settle import intend_create
from connector.mapping.values import Value
from tests.unit.engine.building import (
    COMMERCE,
    DATAVERSE,
    both,
    compiled,
    image,
    record,
    unknown,
)
from tests.unit.engine.sighting import MAP, US, XX, row, settled, witness


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ("a longer name", "a longer"),
        ("a longer name", "A Longer Name"),
        (" a ", "a"),
        (123, 120),
        (Decimal("1.2345"), Decimal("1.23")),
        (Decimal("1.999"), Decimal("2.00")),
        (-17, -10),
        (datetime(2024, 1, 1, 9, 30, 5, 0, UTC), datetime(2024, 1, 1, 9, 30, 0, 0, UTC)),
    ],
)
def test_forms_of_a_side_that_keeps_less(value: Value, kept: Value) -> None:
    assert shortened(value, kept)


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ("a", "a longer name"),
        ("one", "two"),
        ("one", ""),
        ("one", None),
        (None, "one"),
        (123, 150),
        (123, 0),
        (1, True),
        (True, False),
        ("1", 1),
        (date(2024, 1, 1), date(2024, 1, 2)),
    ],
)
def test_other_values(value: Value, kept: Value) -> None:
    assert not shortened(value, kept)


@pytest.mark.parametrize(
    ("values", "taken"),
    [
        ((), "lon"),
        (("longer",), "longer"),
        (("longer", "longer"), "longer"),
        (("another", "longer"), "longer"),
        (("longer", "longest"), "lon"),
        (("longer", "lon"), "lon"),
        (("another",), "lon"),
    ],
)
def test_only_what_is_sure_was_sent(values: tuple[Value, ...], taken: Value) -> None:
    """`another`: a state went back to a backup, and the write was sent again since."""
    assert as_sent(("x", "lon"), ("a", "b"), {"b": values}) == ("x", taken)


def test_the_source_agrees_on_what_was_sent_and_the_target_on_what_it_kept() -> None:
    made = settled()
    made.commerce.image = image(MAP, COMMERCE, {"A": "longer", "B": "x"})
    unknown(made.dataverse)
    made.attempts = 1
    sent = {made.number: {"a": ("longer",)}}
    assert observe(made, row("6", modifier=US, a="lon"), witness(sent=sent)) is None
    assert made.dataverse.agreed == image(MAP, DATAVERSE, {"a": "lon", "b": "x"})
    assert made.commerce.agreed == image(MAP, COMMERCE, {"A": "longer", "B": "x"})


def test_an_edit_the_source_made_since_still_counts() -> None:
    made = settled()
    made.commerce.image = image(MAP, COMMERCE, {"A": "newer", "B": "x"})
    unknown(made.dataverse)
    made.attempts = 1
    sent = {made.number: {"a": ("longer",)}}
    observe(made, row("6", modifier=US, a="lon"), witness(sent=sent))
    assert made.commerce.agreed == image(MAP, COMMERCE, {"A": "longer", "B": "x"})


@pytest.mark.parametrize(
    ("sent", "came_back", "half"),
    [
        ("longer", "lon", "longer"),
        (None, "filled in", None),
        ("longer", "another", "another"),
    ],
)
def test_a_create_that_came_back_as_another_value_is_written_again(
    sent: Value, came_back: Value, half: Value
) -> None:
    """The state went back to a backup, and the row had been written again since then."""
    made = settled()
    made.commerce.image = made.commerce.agreed = image(MAP, COMMERCE, {"A": sent, "B": "x"})
    made.dataverse.agreed = image(MAP, DATAVERSE, {"a": sent, "b": "x"})
    made.dataverse.image, made.dataverse.version, made.unconfirmed = None, None, True
    assert observe(made, row("6", modifier=US, a=came_back), witness()) is None
    assert made.dataverse.agreed == image(MAP, DATAVERSE, {"a": came_back, "b": "x"})
    assert made.commerce.agreed == image(MAP, COMMERCE, {"A": half, "B": "x"})
    assert (made.due is not None) == (half != sent)


ANSWERING = compiled(both("A"), "commerce: B, sync: '>', dataverse: b")
"""Commerce answers in B what is asked for in A."""


def test_what_a_side_answers_to_a_write_of_ours_still_travels() -> None:
    made = record(ANSWERING, *XX, XX)
    made.dataverse.image = image(ANSWERING, DATAVERSE, {"a": "asked", "b": "x"})
    made.commerce.version, made.attempts = "5", 1
    unknown(made.commerce)
    sights = witness(COMMERCE, map=ANSWERING, sent={made.number: {"A": ("asked",)}})
    seen = row("6", COMMERCE, US, ANSWERING, A="asked", B="answer")
    assert observe(made, seen, sights) is None
    assert made.commerce.agreed == image(ANSWERING, COMMERCE, {"A": "asked", "B": "x"})
    (write,) = plan(made, ANSWERING).writes
    assert (write.side, write.values) == (DATAVERSE, {"b": "answer"})


def test_what_a_side_answers_to_a_create_of_ours_still_travels() -> None:
    made = record(ANSWERING, None, {"a": "asked", "b": None}, None)
    (create,) = plan(made, ANSWERING).writes
    intend_create(made, create, "commerce-1", ANSWERING)
    unknown(made.commerce)
    made.attempts = 1
    sights = witness(COMMERCE, map=ANSWERING, sent={made.number: {"A": ("asked",)}})
    observe(made, row("6", COMMERCE, US, ANSWERING, A="asked", B="answer"), sights)
    (write,) = plan(made, ANSWERING).writes
    assert (write.side, write.values) == (DATAVERSE, {"b": "answer"})
    assert made.due is not None
