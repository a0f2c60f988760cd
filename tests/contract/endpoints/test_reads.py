"""Records by id and by the text of a column."""

from __future__ import annotations

import pytest

from tests.contract.endpoints.asking import applied, fill, present
from tests.contract.endpoints.world import World

ODD_KEYS = [
    "O'Brien",
    'say "hi"',
    "a/b",
    "50%",
    "x&y=z",
    "#1+1?",
    "<a>*:\\",
    "Zoë-Ångström",
    "日本語カード",
    "[a_b%c]",
    "in (1,2)",
    "http://x/?y=z",
]


def test_reads_by_id_find_what_is_there(world: World) -> None:
    ids = fill(world, 2)
    asked = [ids["K0"], ids["K1"], world.nobody, "no id at all"]
    found = world.endpoint.read(world.entity, world.columns, by=None, values=asked)
    assert {id: [row.image[0] for row in rows] for id, rows in found.rows.items()} == {
        ids["K0"]: ["K0"],
        ids["K1"]: ["K1"],
    }


def test_reads_by_id_answer_in_the_spelling_asked(world: World) -> None:
    if world.able.ids != "chosen":
        pytest.skip("has one spelling of an id, or compares it as its key")
    ids = fill(world, 1)
    upper = ids["K0"].upper()
    found = world.endpoint.read(world.entity, world.columns, by=None, values=[upper])
    assert found.rows.keys() == {upper}
    assert found.rows[upper][0].id == ids["K0"]


def test_reads_by_key_ignore_case_and_trailing_blanks(world: World) -> None:
    if not world.folds:
        pytest.skip("compares texts as they are")
    fill(world, 3)
    asked = ["k0", "K0", "K1  ", "absent", ""]
    found = world.endpoint.read(world.entity, [world.text], by=world.key, values=asked)
    assert {value: [row.image for row in rows] for value, rows in found.rows.items()} == {
        "k0": [("t0",)],
        "K0": [("t0",)],
        "K1  ": [("t1",)],
    }


def test_reads_by_key_find_what_is_there(world: World) -> None:
    fill(world, 3)
    asked = ["K0", "K2", "absent", ""]
    found = world.endpoint.read(world.entity, [world.text], by=world.key, values=asked)
    assert {value: [row.image for row in rows] for value, rows in found.rows.items()} == {
        "K0": [("t0",)],
        "K2": [("t2",)],
    }


def test_reads_by_another_text_column_may_find_several(world: World) -> None:
    second = "SAME" if world.folds else "same"
    ids = applied(world, world.create("A", "same"), world.create("B", second), world.create("C"))
    found = world.endpoint.read(world.entity, [world.key], by=world.text, values=["same"])
    assert sorted(row.id for row in found.rows["same"]) == sorted(ids[:2])


@pytest.mark.parametrize("key", ODD_KEYS)
def test_odd_keys_go_in_and_are_found(world: World, key: str) -> None:
    id, _ = applied(world, world.create(key, key), world.create("other"))
    found = world.endpoint.read(world.entity, world.columns, by=world.key, values=[key])
    assert [row.id for row in found.rows[key]] == [id]
    assert found.rows[key][0].image[:2] == (key, key)
    assert present(world, id) == found.rows[key][0]


def test_odd_keys_are_found_all_at_once(world: World) -> None:
    ids = applied(world, *[world.create(key) for key in ODD_KEYS])
    found = world.endpoint.read(world.entity, [world.key], by=world.key, values=ODD_KEYS)
    assert [found.rows[key][0].id for key in ODD_KEYS] == ids


def test_length_is_counted_in_characters(world: World) -> None:
    key = "ß日" * 15
    (id,) = applied(world, world.create(key))
    assert present(world, id).image[0] == key


def test_many_values_are_read_in_one_call(world: World) -> None:
    keys = [f"a card with a rather long nr {n:03}"[-30:] for n in range(300)]
    ids = applied(world, *[world.create(key) for key in keys])
    found = world.endpoint.read(world.entity, [world.key], by=world.key, values=keys)
    assert len(found.rows) == 300
    assert len(world.endpoint.read(world.entity, [], by=None, values=ids).rows) == 300


def test_a_read_for_nothing_finds_nothing(world: World) -> None:
    for by in (world.key, None):
        assert world.endpoint.read(world.entity, world.columns, by=by, values=[]).rows == {}
