"""The first sight of a row we created, and what comes between."""

from __future__ import annotations

import pytest

from connector.engine.news.observe import (
    bind,
    observe,
    observe_deleted,
    observe_missing,
)
from connector.engine.news.witness import Edit
from connector.engine.plan import Kind, plan
from connector.engine.settle import intend_create
from connector.mapping.compiling.compiled import CompiledMap
from connector.mapping.values import Value
from connector.store.record import Presence, Record
from tests.unit.engine.building import (
    COMMERCE,
    DATAVERSE,
    both,
    compiled,
    image,
    record,
    unknown,
)
from tests.unit.engine.sighting import (
    MAP,
    NOW,
    SOMEBODY,
    US,
    XX,
    row,
    witness,
)


def created(map: CompiledMap = MAP, **values: Value) -> Record:
    """A card of commerce whose create in Dataverse left and was not seen yet."""
    made = record(map, values or XX[0], None)
    (write,) = plan(made, map).writes
    assert write.kind is Kind.CREATE
    intend_create(made, write, "dataverse-1", map)
    made.due = None
    made.dataverse.presence, made.dataverse.tick = Presence.PRESENT, 5
    return made


@pytest.mark.parametrize("modifier", [US, None])
def test_the_first_sight_of_our_create_is_agreed_on_as_it_came_out(modifier: str | None) -> None:
    made = created(A="longer", B="x")
    assert observe(made, row(modifier=modifier, a="lon"), witness()) is None
    assert not made.unconfirmed
    assert made.due is None
    assert made.dataverse.agreed == image(MAP, DATAVERSE, {"a": "lon", "b": "x"})
    assert made.commerce.agreed == image(MAP, COMMERCE, {"A": "longer", "B": "x"})
    assert plan(made, MAP).writes == []


def test_a_create_somebody_edited_before_we_saw_it_is_a_persons_edit() -> None:
    made = created()
    edit = observe(made, row(modifier=SOMEBODY, a="y"), witness())
    assert edit == Edit({"a": "x"}, {"a": "y"})
    assert not made.unconfirmed
    assert made.due == NOW
    (write,) = plan(made, MAP).writes
    assert (write.side, write.values) == (COMMERCE, {"A": "y"})


@pytest.mark.parametrize("modifier", [US, SOMEBODY, None])
def test_an_edit_of_the_source_confirms_nothing(modifier: str | None) -> None:
    made = created()
    seen = row("9", COMMERCE, modifier, A="newer")
    assert observe(made, seen, witness(COMMERCE)) == Edit({"A": "x"}, {"A": "newer"})
    assert made.unconfirmed
    assert made.commerce.agreed == image(MAP, COMMERCE, XX[0])
    observe(made, row(modifier=US), witness(tick=11))
    assert not made.unconfirmed
    (write,) = plan(made, MAP).writes
    assert (write.side, write.values) == (DATAVERSE, {"a": "newer"})


def test_what_a_create_did_not_carry_is_planned_after_its_first_sight() -> None:
    map = compiled(both("A"), "commerce: B, sync: '<', dataverse: b")
    made = created(map, A="x")
    observe(made, row(modifier=US, map=map, b="NO-1"), witness(map=map))
    assert made.due == NOW
    (write,) = plan(made, map).writes
    assert (write.side, write.values) == (COMMERCE, {"B": "NO-1"})


def test_a_create_deleted_before_we_saw_it_goes_by_the_policy() -> None:
    made = created()
    assert observe_deleted(made, witness())
    assert not made.unconfirmed
    (write,) = plan(made, MAP).writes
    assert write.kind is Kind.CREATE
    assert (write.reason or "").startswith("restored")


def test_a_create_that_did_not_happen_goes_out_again_under_its_id() -> None:
    made = created()
    unknown(made.dataverse)
    assert observe_missing(made, witness())
    assert made.unconfirmed
    (write,) = plan(made, MAP).writes
    assert (write.kind, write.id) == (Kind.CREATE, "dataverse-1")


def test_a_source_deleted_before_its_create_was_seen_still_has_an_unconfirmed_create() -> None:
    made = created()
    assert observe_deleted(made, witness(COMMERCE))
    assert made.unconfirmed
    observe(made, row(modifier=US), witness(tick=11))
    (write,) = plan(made, MAP).writes
    assert (write.side, write.kind) == (DATAVERSE, Kind.DELETE)


def test_a_row_under_another_id_makes_our_create_void() -> None:
    made = created()
    found = row(modifier=SOMEBODY, a="theirs")._replace(id="theirs-1")
    bind(made, found, witness())
    observe(made, found, witness())
    assert not made.unconfirmed
    assert made.dataverse.id == "theirs-1"
    assert made.commerce.agreed is None
    assert made.dataverse.agreed is None
    (write,) = plan(made, MAP).writes
    assert (write.kind, write.before) == (Kind.UPDATE, {"a": "theirs"})
