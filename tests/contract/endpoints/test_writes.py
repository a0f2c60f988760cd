"""Creates, updates and deletes, alone and many in one call."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from connector.endpoints.base import (
    Applied,
    Delete,
    Exists,
    Missing,
    Operation,
    Outcome,
    Rejected,
    Update,
)
from tests.contract.endpoints.asking import applied, by_id, fill, present, replay, scan, write
from tests.contract.endpoints.test_reads import ODD_KEYS
from tests.contract.endpoints.world import World

# ---------------------------------------------------------------------------- creates


def test_a_create_keeps_what_it_was_given(world: World) -> None:
    (id,) = applied(world, world.create("A", None, world.samples[0]))
    assert present(world, id).image == ("A", None, world.samples[0])


@pytest.mark.parametrize("spelling", ["Card-A", "CARD-a", "card-a  "])
def test_a_key_that_is_taken_answers_exists(world: World, spelling: str) -> None:
    if not world.unique or not (world.folds or spelling == "Card-A"):
        pytest.skip("takes this for another key")
    (id,) = applied(world, world.create("Card-A", "theirs"))
    (outcome,) = write(world, world.create(spelling, "ours"))
    assert isinstance(outcome, Exists)
    assert outcome.id in (id, None)
    assert present(world, id).image[1] == "theirs"


def test_keys_that_differ_in_case_are_two_where_the_system_says_so(world: World) -> None:
    if world.folds:
        pytest.skip("compares without case")
    ids = applied(world, world.create("Card-A", "one"), world.create("CARD-a", "two"))
    assert [present(world, id).image[:2] for id in ids] == [("Card-A", "one"), ("CARD-a", "two")]


def test_two_creates_with_one_key_leave_one_record(world: World) -> None:
    if not world.unique:
        pytest.skip("takes several rows of one key")
    second = "a" if world.folds else "A"
    outcomes = write(world, world.create("A"), world.create(second))
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Applied", "Exists"]
    assert len(replay(scan(world))) == 1


# ---------------------------------------------------------------------------- updates, deletes


def test_an_update_changes_its_columns_only(world: World) -> None:
    (id,) = applied(world, world.create("A", "t", world.samples[1]))
    applied(world, Update(id, present(world, id).version, {world.text: None}))
    assert present(world, id).image == ("A", None, world.samples[1])
    applied(world, Update(id, None, {world.day: None}))
    assert present(world, id).image == ("A", None, None)


@pytest.mark.parametrize("version", ["1", None])
def test_what_is_not_there_is_missing_and_is_not_created(world: World, version: str | None) -> None:
    operations: list[Operation] = [
        Update(world.nobody, version, {world.text: "x"}),
        Delete(world.nobody, version),
    ]
    outcomes = [outcome for one in operations for outcome in write(world, one)]
    assert [type(outcome) for outcome in outcomes] == [Missing, Missing]
    assert replay(scan(world)) == {}


def test_a_deleted_record_is_gone(world: World) -> None:
    ids = fill(world, 2)
    applied(world, Delete(ids["K0"], present(world, ids["K0"]).version))
    assert by_id(world, ids["K0"]) is None
    assert replay(scan(world)).keys() == {ids["K1"]}


def test_records_with_odd_keys_are_changed_and_deleted(world: World) -> None:
    ids = applied(world, *[world.create(key) for key in ODD_KEYS])
    applied(
        world, *[Update(id, None, {world.text: key}) for id, key in zip(ids, ODD_KEYS, strict=True)]
    )
    assert [present(world, id).image[:2] for id in ids] == [(key, key) for key in ODD_KEYS]
    applied(world, *[Delete(id, None) for id in ids])
    assert replay(scan(world)) == {}


def test_an_update_to_a_taken_key_answers_exists(world: World) -> None:
    if world.able.ids == "key" or not world.unique:
        pytest.skip("changes no keys, or takes several rows of one")
    ids = fill(world, 2)
    (outcome,) = write(world, Update(ids["K1"], None, {world.key: "k0" if world.folds else "K0"}))
    assert isinstance(outcome, Exists)
    assert present(world, ids["K1"]).image[0] == "K1"


# ---------------------------------------------------------------------------- batches


def test_outcomes_come_in_order_and_one_refusal_touches_no_other(world: World) -> None:
    ids = fill(world, 4)
    long = "x" * (world.longest_key + 1)
    outcomes = write(
        world,
        world.create("new 1"),
        Update(ids["K0"], None, {world.text: "ok"}),
        world.create(long),
        Update(ids["K1"], None, {world.key: long}),
        Delete(ids["K2"], present(world, ids["K2"]).version),
        Update(world.nobody, None, {world.text: "nobody"}),
        world.create("new 2"),
    )
    kinds = [type(outcome) for outcome in outcomes]
    assert kinds == [Applied, Applied, Rejected, Rejected, Applied, Missing, Applied]
    keys = {row.image[0] for row in replay(scan(world)).values()}
    assert keys == {"K0", "K1", "K3", "new 1", "new 2"}
    assert present(world, ids["K0"]).image[1] == "ok"


def test_a_key_that_is_taken_touches_no_other(world: World) -> None:
    if not world.unique:
        pytest.skip("takes several rows of one key")
    fill(world, 1)
    outcomes = write(world, world.create("new 1"), world.create("K0"), world.create("new 2"))
    assert [type(outcome) for outcome in outcomes] == [Applied, Exists, Applied]


def test_a_refusal_names_its_field(world: World) -> None:
    (outcome,) = write(world, world.create("x" * (world.longest_key + 1)))
    assert isinstance(outcome, Rejected)
    assert outcome.field == (world.key if world.names_fields else None)
    assert outcome.code
    assert outcome.text


def test_a_key_set_free_can_be_taken(world: World) -> None:
    """In the same call, unless the key is the id: two writes to one row need two calls."""
    ids = fill(world, 1)
    delete = Delete(ids["K0"], present(world, ids["K0"]).version)
    create = world.create("K0", "again")
    if world.able.ids == "key":
        applied(world, delete)
        applied(world, create)
    else:
        applied(world, delete, create)
    assert [row.image[1] for row in replay(scan(world)).values()] == ["again"]


def test_an_empty_call_does_nothing(world: World) -> None:
    assert list(world.endpoint.write(world.entity, world.columns, [])) == []


@pytest.mark.parametrize("character", ["\x00", "\x1f", "\x0b"])
def test_control_characters_are_refused(world: World, character: str) -> None:
    outcomes = write(world, world.create(f"a{character}b"), world.create("fine"))
    assert [type(outcome) for outcome in outcomes] == [Rejected, Applied]
    assert [row.image[0] for row in replay(scan(world)).values()] == ["fine"]


def test_calls_from_several_threads_do_not_mix(world: World) -> None:
    def work(number: int) -> list[Outcome]:
        return write(world, *(world.create(f"T{number}-{each}") for each in range(20)))

    with ThreadPoolExecutor(4) as pool:
        outcomes = [one for batch in pool.map(work, range(4)) for one in batch]
    assert {type(outcome) for outcome in outcomes} == {Applied}
    assert len(replay(scan(world))) == 80
