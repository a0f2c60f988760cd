"""What every endpoint must do, whatever system stands behind it.

One suite over all worlds of `conftest.py`; where a system lacks a capability, the tests that
need it say so by skipping.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from connector.endpoints.base import (
    Applied,
    Create,
    Delete,
    Exists,
    Missing,
    Operation,
    Outcome,
    Page,
    Rejected,
    Row,
    Stale,
    Update,
)
from connector.errors import MapError, PositionExpiredError
from connector.mapping.values import ValueType

if TYPE_CHECKING:
    from tests.contract.conftest import World

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
]


def write(world: World, *operations: Operation) -> list[Outcome]:
    return list(world.endpoint.write(world.entity, world.columns, operations))


def applied(world: World, *operations: Operation) -> None:
    """Write, and insist that all of it happened."""
    outcomes = write(world, *operations)
    assert [type(outcome) for outcome in outcomes] == [Applied] * len(operations), outcomes


def fill(world: World, count: int) -> dict[str, str]:
    """Records K0, K1 ...; their ids by key."""
    creates = {f"K{number}": world.create(f"K{number}", f"t{number}") for number in range(count)}
    applied(world, *creates.values())
    return {key: one.id for key, one in creates.items()}


def scan(world: World, resume: str | None = None) -> list[Page]:
    return list(world.endpoint.scan(world.entity, world.columns, resume))


def position(world: World) -> str:
    """The feed position after a scan of the table as it is."""
    last = scan(world)[-1]
    if last.position is None:
        pytest.skip("has no change feed")
    return last.position


def changes(world: World, since: str) -> list[Page]:
    pages = list(world.endpoint.changes(world.entity, world.columns, since))
    assert [page.last for page in pages] == [False] * (len(pages) - 1) + [True]
    assert pages[-1].position is not None
    return pages


def replay(pages: Iterable[Page], onto: dict[str, Row] | None = None) -> dict[str, Row]:
    """Rows by id after the pages were applied in order."""
    rows = dict(onto or {})
    for page in pages:
        rows.update({row.id: row for row in page.rows})
        for id in page.deleted:
            rows.pop(id, None)
    return rows


def by_id(world: World, id: str) -> Row | None:
    found = world.endpoint.read(world.entity, world.columns, by=None, values=[id])
    rows: Sequence[Row] = found.rows.get(id, ())
    assert len(rows) <= 1
    return rows[0] if rows else None


def present(world: World, id: str) -> Row:
    row = by_id(world, id)
    assert row is not None
    return row


def versioned(world: World) -> None:
    capabilities = world.endpoint.describe(world.entity).capabilities
    if capabilities.preconditions != "version":
        pytest.skip("has no versions to compare")


# ---------------------------------------------------------------------------- description


def test_it_describes_its_columns(world: World) -> None:
    entity = world.endpoint.describe(world.entity)
    key = entity.columns[world.key]
    assert entity.name == world.entity
    assert key.type is ValueType.TEXT
    assert key.max_length == world.longest_key
    assert (key.readable, key.creatable) == (True, True)
    assert entity.columns[world.day].type is ValueType.DATE
    assert entity.columns[world.text].nullable
    assert any(one.columns == (world.key,) and one.active for one in entity.keys)
    assert entity.capabilities.batch >= 100


def test_an_unknown_entity_is_a_map_error(world: World) -> None:
    with pytest.raises(MapError):
        world.endpoint.describe("no_such_table")


def test_an_unknown_column_is_a_map_error(world: World) -> None:
    with pytest.raises(MapError):
        list(world.endpoint.scan(world.entity, ["no_such_column"], None))


def test_it_is_always_the_same_world(world: World) -> None:
    first, second = world.endpoint.identity(), world.endpoint.identity()
    assert first.world
    assert (first.world, first.users) == (second.world, second.users)
    assert abs(first.clock_offset) < timedelta(seconds=5)


# ---------------------------------------------------------------------------- scan


@pytest.mark.parametrize("count", [0, 1, 3, 6, 7])
def test_a_scan_gives_every_row(world: World, count: int) -> None:
    ids = fill(world, count)
    pages = scan(world)
    rows = replay(pages)
    assert {row.image[:2] for row in rows.values()} == {(k, f"t{k[1:]}") for k in ids}
    assert rows.keys() == set(ids.values())
    assert [page.last for page in pages] == [False] * (len(pages) - 1) + [True]
    assert all(page.position is None for page in pages[:-1])


def test_a_scan_resumes_after_each_page(world: World) -> None:
    ids = fill(world, 8)
    pages = scan(world)
    assert len(pages) > 2
    for number, page in enumerate(pages[:-1], start=1):
        assert page.resume is not None
        rest = scan(world, page.resume)
        assert rest[-1].last
        assert replay([*pages[:number], *rest]).keys() == set(ids.values())


def test_pages_are_fetched_one_by_one(world: World) -> None:
    fill(world, 7)
    pages = world.endpoint.scan(world.entity, world.columns, None)
    seen = replay([next(pages)])
    late = world.create("late")
    applied(world, late)
    seen = replay(pages, seen)
    # Whether a row born meanwhile is seen is open; that the scan goes on is not.
    assert len(seen) in (7, 8)


def test_what_happens_during_a_scan_is_not_lost(world: World) -> None:
    ids = fill(world, 8)
    pages = world.endpoint.scan(world.entity, world.columns, None)
    first = next(pages)
    seen, unseen = first.rows[0], next(id for id in ids.values() if id not in replay([first]))
    born = world.create("born")
    applied(
        world,
        Update(seen.id, seen.version, {world.text: "changed"}),
        Delete(unseen, present(world, unseen).version),
        born,
    )
    rest = list(pages)
    if rest[-1].position is None:
        pytest.skip("has no change feed")
    rows = replay([first, *rest, *changes(world, rest[-1].position)])
    assert rows.keys() == {*ids.values(), born.id} - {unseen}
    assert rows[seen.id].image[1] == "changed"


# ---------------------------------------------------------------------------- change feed


def test_without_changes_the_feed_is_empty_and_goes_on(world: World) -> None:
    fill(world, 2)
    (page,) = changes(world, position(world))
    assert (list(page.rows), list(page.deleted)) == ([], [])
    assert page.position is not None
    assert replay(changes(world, page.position)) == {}


def test_creates_updates_and_deletes_arrive(world: World) -> None:
    ids = fill(world, 3)
    pages = scan(world)
    since = position(world)
    born = world.create("born", "new")
    applied(
        world,
        Update(ids["K0"], None, {world.text: "changed"}),
        Delete(ids["K1"], present(world, ids["K1"]).version),
        born,
    )
    rows = replay(changes(world, since), replay(pages))
    assert {row.image[:2] for row in rows.values()} == {
        ("K0", "changed"),
        ("K2", "t2"),
        ("born", "new"),
    }
    deleted = [id for page in changes(world, since) for id in page.deleted]
    assert deleted == [ids["K1"]]


def test_a_position_may_be_used_again(world: World) -> None:
    fill(world, 1)
    since = position(world)
    applied(world, world.create("born"))
    assert replay(changes(world, since)) == replay(changes(world, since)) != {}


def test_many_changes_come_in_pages_that_can_be_resumed(world: World) -> None:
    since = position(world)
    ids = fill(world, 8)
    pages = changes(world, since)
    assert len(pages) > 1
    assert replay(pages).keys() == set(ids.values())
    for number, page in enumerate(pages[:-1], start=1):
        assert page.position is None
        assert page.resume is not None
        rest = changes(world, page.resume)
        assert replay([*pages[:number], *rest]).keys() == set(ids.values())


def test_a_record_that_came_and_went_is_gone(world: World) -> None:
    since = position(world)
    born = world.create("born")
    applied(world, born)
    applied(world, Delete(born.id, present(world, born.id).version))
    assert replay(changes(world, since)) == {}


def test_several_changes_of_one_record_end_with_the_last(world: World) -> None:
    ids = fill(world, 1)
    since = position(world)
    for text in ("a", "b", "c"):
        applied(world, Update(ids["K0"], None, {world.text: text}))
    assert replay(changes(world, since))[ids["K0"]].image[1] == "c"


@pytest.mark.parametrize("text", ["", "{}", "null", "12", "garbage!"])
def test_a_position_that_cannot_be_read_asks_for_a_scan(world: World, text: str) -> None:
    position(world)
    with pytest.raises(PositionExpiredError):
        list(world.endpoint.changes(world.entity, world.columns, text))


def test_a_position_belongs_to_its_columns(world: World) -> None:
    since = position(world)
    with pytest.raises(PositionExpiredError):
        list(world.endpoint.changes(world.entity, world.columns[:2], since))


def test_a_resume_mark_that_cannot_be_read_asks_for_a_scan(world: World) -> None:
    with pytest.raises(PositionExpiredError):
        scan(world, "garbage!")


# ---------------------------------------------------------------------------- versions


def test_the_echo_of_an_update_has_the_version_it_answered(world: World) -> None:
    ids = fill(world, 1)
    since = position(world)
    update = Update(ids["K0"], present(world, ids["K0"]).version, {world.text: "x"})
    (outcome,) = write(world, update)
    assert isinstance(outcome, Applied)
    echo = replay(changes(world, since))[ids["K0"]]
    read = present(world, ids["K0"])
    assert echo == read
    if outcome.row is not None:
        assert outcome.row == echo


def test_the_echo_of_a_create_names_us(world: World) -> None:
    users = world.endpoint.identity().users
    if not users:
        pytest.skip("names no modifier")
    since = position(world)
    born = world.create("born", "text")
    (outcome,) = write(world, born)
    assert isinstance(outcome, Applied)
    echo = replay(changes(world, since))[born.id]
    assert echo.modifier in users
    assert echo.image == ("born", "text", None)
    if outcome.row is not None:
        assert outcome.row == echo


def test_versions_grow(world: World) -> None:
    ids = fill(world, 1)
    before = present(world, ids["K0"]).version
    applied(world, Update(ids["K0"], before, {world.text: "x"}))
    after = present(world, ids["K0"]).version
    assert before is not None
    assert after is not None
    assert before != after
    if world.endpoint.describe(world.entity).capabilities.ordered_versions:
        assert world.endpoint.newer(after, before) is True
        assert world.endpoint.newer(before, after) is False
        assert world.endpoint.newer(after, after) is False
        assert world.endpoint.newer("10", "9") is True
    else:
        assert world.endpoint.newer(after, before) is None


def test_records_tell_when_they_were_changed(world: World) -> None:
    if not world.endpoint.describe(world.entity).capabilities.modified_time:
        pytest.skip("knows no time of change")
    ids = fill(world, 1)
    at = present(world, ids["K0"]).modified_at
    assert at is not None
    assert abs(datetime.now(UTC) - at) < timedelta(seconds=10)


# ---------------------------------------------------------------------------- creates


def test_a_create_keeps_the_id_we_chose(world: World) -> None:
    born = Create(world.new_id(), {world.key: "A", world.text: None, world.day: date(2024, 2, 29)})
    (outcome,) = write(world, born)
    assert isinstance(outcome, Applied)
    assert outcome.id == born.id
    assert present(world, born.id).image == ("A", None, date(2024, 2, 29))


def test_the_second_create_with_an_id_answers_exists(world: World) -> None:
    if world.endpoint.describe(world.entity).capabilities.create != "once":
        pytest.skip("cannot be told an id")
    born = world.create("A", "first")
    applied(world, born)
    (outcome,) = write(world, born)
    assert isinstance(outcome, Exists)
    assert outcome.id == born.id
    assert present(world, born.id).image[1] == "first"


@pytest.mark.parametrize("spelling", ["Card-A", "CARD-a", "card-a  "])
def test_a_key_that_is_taken_answers_exists(world: World, spelling: str) -> None:
    born = world.create("Card-A")
    applied(world, born)
    (outcome,) = write(world, world.create(spelling))
    assert isinstance(outcome, Exists)
    assert outcome.id in (born.id, None)


def test_two_creates_with_one_key_leave_one_record(world: World) -> None:
    first, second = world.create("A"), world.create("a")
    outcomes = write(world, first, second)
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Applied", "Exists"]
    assert len(replay(scan(world))) == 1


# ---------------------------------------------------------------------------- updates, deletes


def test_an_update_changes_its_columns_only(world: World) -> None:
    born = Create(world.new_id(), {world.key: "A", world.text: "t", world.day: date(2024, 1, 2)})
    applied(world, born)
    applied(world, Update(born.id, present(world, born.id).version, {world.text: None}))
    assert present(world, born.id).image == ("A", None, date(2024, 1, 2))
    applied(world, Update(born.id, None, {world.day: None}))
    assert present(world, born.id).image == ("A", None, None)


def test_an_update_of_another_version_is_stale(world: World) -> None:
    versioned(world)
    ids = fill(world, 1)
    old = present(world, ids["K0"]).version
    applied(world, Update(ids["K0"], old, {world.text: "theirs"}))
    (outcome,) = write(world, Update(ids["K0"], old, {world.text: "ours"}))
    assert isinstance(outcome, Stale)
    assert present(world, ids["K0"]).image[1] == "theirs"


def test_a_delete_of_another_version_is_stale(world: World) -> None:
    versioned(world)
    ids = fill(world, 1)
    old = present(world, ids["K0"]).version
    applied(world, Update(ids["K0"], old, {world.text: "theirs"}))
    (outcome,) = write(world, Delete(ids["K0"], old))
    assert isinstance(outcome, Stale)
    assert by_id(world, ids["K0"]) is not None


@pytest.mark.parametrize("version", ["1", None])
def test_what_is_not_there_is_missing_and_is_not_created(world: World, version: str | None) -> None:
    nobody = world.new_id()
    outcomes = write(
        world, Update(nobody, version, {world.text: "x"}), Delete(world.new_id(), version)
    )
    assert [type(outcome) for outcome in outcomes] == [Missing, Missing]
    assert replay(scan(world)) == {}


def test_a_deleted_record_is_gone(world: World) -> None:
    ids = fill(world, 2)
    applied(world, Delete(ids["K0"], present(world, ids["K0"]).version))
    assert by_id(world, ids["K0"]) is None
    assert replay(scan(world)).keys() == {ids["K1"]}


def test_an_update_to_a_taken_key_answers_exists(world: World) -> None:
    ids = fill(world, 2)
    (outcome,) = write(world, Update(ids["K1"], None, {world.key: "k0"}))
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
        world.create("K3"),
        Update(world.new_id(), None, {world.text: "nobody"}),
        world.create("new 2"),
    )
    kinds = [type(outcome) for outcome in outcomes]
    assert kinds == [Applied, Applied, Rejected, Rejected, Applied, Exists, Missing, Applied]
    keys = {row.image[0] for row in replay(scan(world)).values()}
    assert keys == {"K0", "K1", "K3", "new 1", "new 2"}
    assert present(world, ids["K0"]).image[1] == "ok"


def test_a_refusal_names_its_field(world: World) -> None:
    (outcome,) = write(world, world.create("x" * (world.longest_key + 1)))
    assert isinstance(outcome, Rejected)
    assert outcome.field == world.key
    assert outcome.code
    assert outcome.text


def test_a_key_set_free_can_be_taken_in_the_same_call(world: World) -> None:
    ids = fill(world, 1)
    version = present(world, ids["K0"]).version
    applied(world, Delete(ids["K0"], version), world.create("K0", "again"))
    assert [row.image[1] for row in replay(scan(world)).values()] == ["again"]


def test_an_empty_call_does_nothing(world: World) -> None:
    assert write(world) == []


@pytest.mark.parametrize("character", ["\x00", "\x1f", "\x0b"])
def test_control_characters_are_refused(world: World, character: str) -> None:
    fine = world.create("fine")
    outcomes = write(world, world.create(f"a{character}b"), fine)
    assert [type(outcome) for outcome in outcomes] == [Rejected, Applied]
    assert replay(scan(world)).keys() == {fine.id}


def test_calls_from_several_threads_do_not_mix(world: World) -> None:
    def work(number: int) -> list[Outcome]:
        return write(world, *(world.create(f"T{number}-{each}") for each in range(20)))

    with ThreadPoolExecutor(4) as pool:
        outcomes = [one for batch in pool.map(work, range(4)) for one in batch]
    assert {type(outcome) for outcome in outcomes} == {Applied}
    assert len(replay(scan(world))) == 80


# ---------------------------------------------------------------------------- reads


def test_reads_by_id_answer_in_the_spelling_asked(world: World) -> None:
    ids = fill(world, 2)
    upper = ids["K0"].upper()
    asked = [upper, ids["K1"], world.new_id(), "no id at all"]
    found = world.endpoint.read(world.entity, world.columns, by=None, values=asked)
    assert found.rows.keys() == {upper, ids["K1"]}
    assert found.rows[upper][0].image[0] == "K0"


def test_reads_by_key_ignore_case_and_trailing_blanks(world: World) -> None:
    fill(world, 3)
    asked = ["k0", "K0", "K1  ", "absent", ""]
    found = world.endpoint.read(world.entity, [world.text], by=world.key, values=asked)
    assert {value: [row.image for row in rows] for value, rows in found.rows.items()} == {
        "k0": [("t0",)],
        "K0": [("t0",)],
        "K1  ": [("t1",)],
    }


def test_reads_by_another_text_column_may_find_several(world: World) -> None:
    first, second, third = world.create("A", "same"), world.create("B", "SAME"), world.create("C")
    applied(world, first, second, third)
    found = world.endpoint.read(world.entity, [world.key], by=world.text, values=["same"])
    assert sorted(row.id for row in found.rows["same"]) == sorted([first.id, second.id])


@pytest.mark.parametrize("key", ODD_KEYS)
def test_odd_keys_go_in_and_are_found(world: World, key: str) -> None:
    born, other = world.create(key, key), world.create("other")
    applied(world, born, other)
    found = world.endpoint.read(world.entity, world.columns, by=world.key, values=[key])
    assert [row.id for row in found.rows[key]] == [born.id]
    assert found.rows[key][0].image[:2] == (key, key)


def test_odd_keys_are_found_all_at_once(world: World) -> None:
    creates = [world.create(key) for key in ODD_KEYS]
    applied(world, *creates)
    found = world.endpoint.read(world.entity, [world.key], by=world.key, values=ODD_KEYS)
    assert {key: rows[0].id for key, rows in found.rows.items()} == {
        str(one.values[world.key]): one.id for one in creates
    }


def test_length_is_counted_in_characters(world: World) -> None:
    key = "ß日" * 15
    born = world.create(key)
    applied(world, born)
    assert present(world, born.id).image[0] == key


def test_many_values_are_read_in_one_call(world: World) -> None:
    creates = [world.create(f"a card with a rather long nr {n:03}"[-30:]) for n in range(300)]
    applied(world, *creates)
    keys = [str(one.values[world.key]) for one in creates]
    found = world.endpoint.read(world.entity, [world.key], by=world.key, values=keys)
    assert len(found.rows) == 300
    ids = [one.id for one in creates]
    assert len(world.endpoint.read(world.entity, [], by=None, values=ids).rows) == 300


def test_nobody_who_was_not_asked_to_slow_down_says_so(world: World) -> None:
    applied(world, world.create("S-1"))
    throttling = world.endpoint.throttling()
    assert (throttling.times, throttling.seconds) == (0, 0.0)


def test_a_read_for_nothing_finds_nothing(world: World) -> None:
    assert world.endpoint.read(world.entity, world.columns, by=world.key, values=[]).rows == {}
