"""Replies: each outcome, attempts and waiting times, and what becomes the agreed pair."""

from __future__ import annotations

import pytest

from connector.endpoints.base import (
    Applied,
    Exists,
    Missing,
    Outcome,
    Rejected,
    Row,
    Stale,
    Transient,
    Unknown,
)
from connector.engine.plan import Action, Kind, Write, plan
from connector.engine.settle import intend_create, note, settle
from connector.mapping.compiling.compiled import CompiledMap
from connector.store.record import Presence, Record, State
from tests.unit.engine.building import (
    COMMERCE,
    DATAVERSE,
    both,
    compiled,
    image,
    record,
    reply,
)
from tests.unit.engine.writing import MAP, XX, applied, updated


def creating(map: CompiledMap = MAP) -> tuple[Record, Write]:
    """A record whose create in Dataverse has left under the id `new-1`."""
    made = record(map, XX[0], None)
    action = plan(made, map)
    note(made, action, map)
    (write,) = action.writes
    intend_create(made, write, "new-1", map)
    return made, write


def deleting() -> tuple[Record, Write]:
    """A record whose delete in Dataverse has left."""
    made = record(MAP, None, XX[1], XX)
    action = plan(made, MAP)
    note(made, action, MAP)
    (write,) = action.writes
    return made, write


# ------------------------------------------------------------------ applied


def test_an_applied_update_settles_its_groups() -> None:
    made, write = updated()
    made.attempts = 2
    settle(made, write, applied(a="y"), reply(MAP, tick=30))
    assert (made.state, made.due, made.attempts) == (State.SETTLED, None, 0)
    target = made.dataverse
    assert (target.version, target.tick, target.modifier) == ("9", 30, "us")
    assert made.commerce.agreed == made.commerce.image
    assert target.agreed == target.image == image(MAP, DATAVERSE, {"a": "y", "b": "x"})


def test_what_the_target_made_of_a_value_is_its_half() -> None:
    made, write = updated()
    settle(made, write, applied(a="y (cut)"), reply(MAP))
    assert made.dataverse.agreed == image(MAP, DATAVERSE, {"a": "y (cut)", "b": "x"})
    assert made.commerce.agreed == image(MAP, COMMERCE, {"A": "y", "B": "x"})
    assert plan(made, MAP) == Action()


def test_a_column_the_target_changed_besides_is_an_edit() -> None:
    made, write = updated()
    settle(made, write, applied(a="y", b="by a rule"), reply(MAP, now=40.0))
    assert (made.state, made.due) == (State.PENDING, 40.0)
    (back,) = plan(made, MAP).writes
    assert (back.side, back.values) == (COMMERCE, {"B": "by a rule"})


def test_what_was_sent_is_agreed_on_although_its_side_moved_on() -> None:
    """Both sides are written at once, and commerce works out the column that is on its way."""
    answered = compiled(
        both("A"), "commerce: B, sync: '<', dataverse: b", "commerce: C, sync: '>', dataverse: c"
    )
    held = {"A": "x", "C": "first answer"}, {"a": "x", "b": "edit"}
    made = record(answered, *held, ({"A": "x"}, {"a": "x"}))
    action = plan(made, answered)
    note(made, action, answered)
    asked, told = sorted(action.writes, key=lambda write: write.side.value)
    now = image(answered, COMMERCE, {"A": "x", "B": "edit", "C": "second answer"})
    settle(made, asked, Applied(made.commerce.id or "", Row("c", "9", now)), reply(answered))
    seen = image(answered, DATAVERSE, {"a": "x", "b": "edit", "c": "first answer"})
    settle(made, told, Applied(made.dataverse.id or "", Row("d", "9", seen)), reply(answered))
    assert made.due is not None
    (write,) = plan(made, answered).writes
    assert (write.side, write.values) == (DATAVERSE, {"c": "second answer"})


def test_an_update_without_a_row_is_read_back() -> None:
    made, write = updated()
    settle(made, write, Applied("dataverse-1"), reply(MAP, now=40.0))
    assert made.dataverse.presence is Presence.UNKNOWN
    assert made.due == 40.0


def test_groups_that_were_not_written_keep_their_halves() -> None:
    map = compiled(both("A"), both("B"), "commerce: C, sync: '>', dataverse: c")
    made = record(map, {"A": "y", "B": "y"}, {"a": "x", "b": "z", "c": "drift"}, XX)
    action = plan(made, map)
    note(made, action, map)
    (write,) = action.writes
    settle(made, write, applied(map, a="y", b="z", c="drift"), reply(map))
    assert made.dataverse.agreed == image(map, DATAVERSE, {"a": "y", "b": "x"})
    assert made.state is State.CONFLICT


def test_a_create_that_shows_its_row_is_confirmed() -> None:
    made, write = creating()
    assert made.unconfirmed
    shown = image(MAP, DATAVERSE, {"a": "x (cut)", "b": "x"})
    settle(made, write, Applied("new-1", Row("new-1", "1", shown)), reply(MAP))
    assert not made.unconfirmed
    assert (made.dataverse.presence, made.dataverse.id) == (Presence.PRESENT, "new-1")
    assert made.dataverse.agreed == shown
    assert made.commerce.agreed == image(MAP, COMMERCE, XX[0])
    assert (made.state, made.due) == (State.SETTLED, None)


def test_a_key_that_was_cut_on_its_way_in_parks_the_record() -> None:
    made, write = creating()
    shown = image(MAP, DATAVERSE, {"id": "cut", "a": "x", "b": "x"})
    settle(made, write, Applied("new-1", Row("new-1", "1", shown)), reply(MAP))
    assert made.problem is not None
    assert (made.problem.code, made.state) == ("key-changed", State.PARKED)


def test_a_create_without_a_row_waits_for_its_first_sight() -> None:
    made, write = creating()
    settle(made, write, Applied("new-1"), reply(MAP, tick=30))
    assert made.unconfirmed
    assert (made.dataverse.presence, made.dataverse.image) == (Presence.PRESENT, None)
    assert made.dataverse.tick == 30
    assert made.dataverse.agreed == image(MAP, DATAVERSE, XX[1])
    assert (made.state, made.due) == (State.SETTLED, None)


@pytest.mark.parametrize("shown", [True, False])
def test_the_id_a_create_answers_with_is_the_rows_own(shown: bool) -> None:
    made = record(MAP, {"A": "x"}, None)
    (write,) = plan(made, MAP).writes
    intend_create(made, write, "provisional", MAP)
    row = Row("17", "5", image(MAP, DATAVERSE, {"a": "x"})) if shown else None
    settle(made, write, Applied("17", row), reply(MAP))
    assert made.dataverse.id == "17"


def test_what_a_create_did_not_carry_stays_to_be_done() -> None:
    map = compiled(both("A"), "commerce: B, sync: '<', dataverse: b")
    made, write = creating(map)
    shown = image(map, DATAVERSE, {"a": "x", "b": "NO-1"})
    settle(made, write, Applied("new-1", Row("new-1", "1", shown)), reply(map, now=40.0))
    assert made.due == 40.0
    (back,) = plan(made, map).writes
    assert (back.side, back.values, [g.name for g in back.lost]) == (COMMERCE, {"B": "NO-1"}, ["B"])


def test_an_applied_delete_leaves_a_tombstone() -> None:
    made, write = deleting()
    settle(made, write, Applied("dataverse-1"), reply(MAP, tick=30, now=40.0))
    assert (made.dataverse.presence, made.dataverse.tick) == (Presence.ABSENT, 30)
    assert made.due == 40.0
    action = plan(made, MAP)
    assert action == Action()
    note(made, action, MAP)
    assert made.commerce.agreed is None
    assert made.dataverse.agreed is None
    assert made.state is State.SETTLED
    assert made.dataverse.id == "dataverse-1"


# ------------------------------------------------------------------ not applied


@pytest.mark.parametrize(
    ("outcome", "attempts"),
    [(Stale(), 0), (Missing(), 1), (Exists("other"), 1), (Unknown("reset"), 1)],
)
@pytest.mark.parametrize("kind", [updated, creating, deleting])
def test_what_is_not_sure_is_read_first(kind: object, outcome: Outcome, attempts: int) -> None:
    made, write = kind()  # type: ignore[operator]
    before = made.dataverse.agreed
    settle(made, write, outcome, reply(MAP, tick=30, now=40.0))
    assert made.dataverse.presence is Presence.UNKNOWN
    assert (made.attempts, made.due, made.dataverse.tick) == (attempts, 40.0, 30)
    assert made.dataverse.agreed == before
    assert plan(made, MAP).reads == (DATAVERSE,)


@pytest.mark.parametrize(
    ("attempts", "retry_after", "due"),
    [
        (0, None, 42.0),
        (1, None, 44.0),
        (2, None, 48.0),
        (0, 33.0, 73.0),
        # No sooner than our own wait, whatever the side says.
        (0, 0.0, 42.0),
        (3, 0.5, 48.0),
    ],
)
def test_a_transient_failure_is_tried_again_later(
    attempts: int, retry_after: float | None, due: float
) -> None:
    made, write = updated()
    made.attempts = attempts
    settle(made, write, Transient("busy", retry_after), reply(MAP, now=40.0))
    failed = 1 if retry_after is None else 0
    assert (made.attempts, made.due, made.state) == (attempts + failed, due, State.PENDING)
    assert made.dataverse.presence is Presence.PRESENT
    (again,) = plan(made, MAP).writes
    assert again == write


def test_a_record_is_never_parked_because_the_side_is_busy() -> None:
    made, write = updated()
    for _ in range(100):
        settle(made, write, Transient("busy", 5.0), reply(MAP, attempts=2))
    assert (made.state, made.attempts) == (State.PENDING, 0)


@pytest.mark.parametrize("outcome", [Unknown("reset"), Missing(), Exists("other")])
def test_a_doubt_that_comes_back_is_looked_into_after_growing_waits(outcome: Outcome) -> None:
    made, write = updated()
    dues = []
    for _ in range(4):
        settle(made, write, outcome, reply(MAP, now=40.0))
        dues.append(made.due)
    assert dues == [40.0, 42.0, 44.0, 48.0]


def test_a_transient_create_did_not_happen() -> None:
    made, write = creating()
    settle(made, write, Transient("busy"), reply(MAP))
    (again,) = plan(made, MAP).writes
    assert (again.kind, again.id, again.values) == (Kind.CREATE, "new-1", write.values)


@pytest.mark.parametrize("outcome", [Transient("busy"), Unknown("reset"), Exists(None, "taken")])
def test_attempts_end(outcome: Outcome) -> None:
    made, write = updated()
    made.attempts = 2
    settle(made, write, outcome, reply(MAP, attempts=3))
    assert made.problem is not None
    assert made.problem.code == "attempts-exhausted"
    assert "3 attempts" in made.problem.message
    assert (made.state, made.due) == (State.PARKED, None)


@pytest.mark.parametrize("kind", [updated, creating])
def test_a_refusal_parks_with_what_the_side_said(kind: object) -> None:
    made, write = kind()  # type: ignore[operator]
    settle(made, write, Rejected("0x80044331", "too long", "a"), reply(MAP))
    assert made.problem is not None
    assert made.problem.code == "dataverse-refused"
    assert "too long (0x80044331)" in made.problem.message
    assert (made.problem.subject.side, made.problem.subject.field) == ("dataverse", "a")
    assert (made.state, made.due) == (State.PARKED, None)
    assert made.dataverse.presence is (
        Presence.PRESENT if write.kind is Kind.UPDATE else Presence.ABSENT
    )


def test_one_refused_write_does_not_undo_the_other() -> None:
    made = record(MAP, {"A": "y", "B": "x"}, {"a": "x", "b": "z"}, XX)
    action = plan(made, MAP)
    note(made, action, MAP)
    writes = {write.side: write for write in action.writes}
    settle(made, writes[DATAVERSE], Rejected("1", "no"), reply(MAP))
    back = image(MAP, COMMERCE, {"A": "y", "B": "z"})
    settle(made, writes[COMMERCE], Applied("c", Row("commerce-1", "9", back)), reply(MAP))
    assert made.state is State.PARKED
    assert made.commerce.agreed == image(MAP, COMMERCE, {"A": "x", "B": "z"})
    assert made.dataverse.agreed == image(MAP, DATAVERSE, {"a": "x", "b": "z"})


def test_at_first_contact_nothing_is_agreed_before_the_write_is_settled() -> None:
    made = record(MAP, {"A": "same", "B": "master"}, {"a": "same", "b": "other"})
    action = plan(made, MAP)
    assert [group.name for group in action.agree] == ["Id", "A"]
    note(made, action, MAP)
    assert made.commerce.agreed is None
    assert made.dataverse.agreed is None
    (write,) = action.writes
    settle(made, write, applied(a="same", b="master"), reply(MAP))
    # A change of either side from here on is an edit, also where the sides were equal.
    assert made.commerce.agreed == image(MAP, COMMERCE, {"A": "same", "B": "master"})
    note(made, plan(made, MAP), MAP)
    assert made.commerce.agreed == made.commerce.image
    assert made.dataverse.agreed == made.dataverse.image


def test_at_first_contact_a_failed_half_keeps_the_rule() -> None:
    made = record(MAP, {"A": "master"}, {"a": "other", "b": "theirs"})
    action = plan(made, MAP)
    note(made, action, MAP)
    writes = {write.side: write for write in action.writes}
    settle(made, writes[DATAVERSE], Transient("busy"), reply(MAP))
    filled = image(MAP, COMMERCE, {"A": "master", "B": "theirs"})
    settle(made, writes[COMMERCE], Applied("c", Row("commerce-1", "9", filled)), reply(MAP))
    again = plan(made, MAP)
    assert not again.conflicts
    assert [(write.side, write.values) for write in again.writes] == [(DATAVERSE, {"a": "master"})]
