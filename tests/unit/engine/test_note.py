"""What planning found without a write, and where a record stands then."""

from __future__ import annotations

from dataclasses import replace

import pytest

from connector.endpoints.base import (
    Applied,
    Row,
)
from connector.engine.plan import Action, Kind, plan
from connector.engine.settle import intend_create, note, settle, stand
from connector.errors import Problem
from connector.store.record import Conflict, Presence, Record, State, Wait
from tests.unit.engine.building import (
    COMMERCE,
    CURRENCY,
    DATAVERSE,
    both,
    compiled,
    image,
    record,
    reply,
)
from tests.unit.engine.writing import MAP, XX, applied, updated

# ------------------------------------------------------------------ what planning found


def test_agreement_is_noted_without_a_write() -> None:
    made = record(MAP, {"A": "y", "B": "x"}, {"a": "y", "b": "x"}, XX)
    note(made, plan(made, MAP), MAP)
    assert (made.state, made.due) == (State.SETTLED, None)
    assert made.commerce.agreed == made.commerce.image
    assert made.dataverse.agreed == made.dataverse.image


def test_conflicts_waits_and_problems_make_the_state() -> None:
    made = record(MAP, *XX, XX)
    conflict, wait = Conflict("A", {}, {}), Wait("B", DATAVERSE, "currencies", "code", "EUR")
    for action, state in (
        (Action(waits=[wait]), State.WAITING),
        (Action(waits=[wait], conflicts=[conflict]), State.CONFLICT),
        (Action(conflicts=[conflict], problem=Problem("c", "m", "r")), State.PARKED),
        (Action(), State.SETTLED),
    ):
        note(made, action, MAP)
        assert made.state is state
        assert (made.waiting, made.conflicts) == (len(action.waits), len(action.conflicts))
        assert made.problem == action.problem
        assert made.due is None


def test_a_read_keeps_what_is_known_until_it_comes() -> None:
    made = record(MAP, *XX, XX)
    made.conflicts, made.waiting, made.problem = 1, 2, Problem("c", "m", "r")
    note(made, Action(reads=(DATAVERSE,)), MAP)
    assert (made.conflicts, made.waiting, made.due) == (1, 2, 0.0)
    assert made.problem is not None


def test_a_waiting_group_of_a_create_is_agreed_on_when_it_is_written() -> None:
    map = compiled(both("A"), CURRENCY)
    made = record(map, {"A": "x", "Currency": "DKK"}, None)
    action = plan(made, map)
    note(made, action, map)
    (write,) = action.writes
    intend_create(made, write, "new-1", map)
    assert made.state is State.WAITING
    assert made.commerce.agreed == image(map, COMMERCE, {"A": "x"})
    shown = image(map, DATAVERSE, {"a": "x"})
    settle(made, write, Applied("new-1", Row("new-1", "1", shown)), reply(map))
    map.lookups[0].add("guid-dkk", "DKK")
    (late,) = plan(made, map).writes
    assert (late.kind, late.values, late.lost) == (Kind.UPDATE, {"currencyid": "guid-dkk"}, ())


@pytest.mark.parametrize(
    ("problem", "conflicts", "waiting", "due", "state"),
    [
        (Problem("c", "m", "r"), 1, 1, 5.0, State.PARKED),
        (None, 1, 1, 5.0, State.CONFLICT),
        (None, 0, 1, 5.0, State.WAITING),
        (None, 0, 0, 5.0, State.PENDING),
        (None, 0, 0, None, State.SETTLED),
    ],
)
def test_the_gravest_state_counts(
    problem: Problem | None, conflicts: int, waiting: int, due: float | None, state: State
) -> None:
    made = Record(1, "m", "k", problem=problem, conflicts=conflicts, waiting=waiting, due=due)
    stand(made)
    assert made.state is state


def test_the_success_of_one_side_leaves_the_doubt_about_the_other() -> None:
    """Its failed attempts say that it may hold a write of ours whose reply was lost."""
    made, write = updated()
    made.commerce.presence, made.attempts = Presence.UNKNOWN, 2
    settle(made, write, applied(a="y"), reply(MAP))
    assert made.attempts == 2


def test_what_somebody_wrote_in_between_is_not_agreed_where_nothing_kept_them_out() -> None:
    made, write = updated()
    unguarded = replace(reply(MAP), unguarded=frozenset({DATAVERSE}))
    settle(made, write, applied(a="y", b="theirs"), unguarded)
    assert made.dataverse.presence is Presence.UNKNOWN
    assert made.dataverse.image == image(MAP, DATAVERSE, XX[1])
    assert made.commerce.agreed == image(MAP, COMMERCE, XX[0])
    settled, write = updated()
    settle(settled, write, applied(a="y"), unguarded)
    assert settled.dataverse.presence is Presence.PRESENT
    assert settled.state is State.SETTLED
