"""The order of maps, and how many are worked at once."""

from __future__ import annotations

import threading
from collections.abc import Mapping

import pytest

from connector.operations.runs.side_by_side import in_order, side_by_side


def needs(**before: str) -> Mapping[str, frozenset[str]]:
    """By name: those it needs, in one word."""
    return {name: frozenset(those) for name, those in before.items()}


@pytest.mark.parametrize(
    ("before", "order"),
    [
        ({}, "abcd"),
        (needs(a="d"), "bcda"),
        (needs(a="b", b="c", c="d"), "dcba"),
        (needs(a="b", b="a"), "cdab"),
        (needs(a="a"), "abcd"),
        (needs(b="x"), "abcd"),
    ],
)
def test_those_that_others_look_into_come_first(
    before: Mapping[str, frozenset[str]], order: str
) -> None:
    assert "".join(in_order("abcd", before)) == order


class Floor:
    """Counts who is at work, and holds each until so many are."""

    def __init__(self, meet: int = 1) -> None:
        self.most = 0
        self.order: list[str] = []
        self.done: list[str] = []
        self.seen: dict[str, set[str]] = {}
        self._lock = threading.Lock()
        self._now = 0
        self._meet = threading.Barrier(meet)

    def work(self, name: str) -> str:
        with self._lock:
            self._now += 1
            self.most = max(self.most, self._now)
            self.order.append(name)
            self.seen[name] = set(self.done)
        self._meet.wait(10)
        with self._lock:
            self._now -= 1
            self.done.append(name)
        return name.upper()


def never() -> bool:
    return False


def test_independent_ones_are_worked_at_once() -> None:
    floor = Floor(meet=2)
    found = side_by_side("abcd", {}, 2, floor.work, never)
    assert found == {"a": "A", "b": "B", "c": "C", "d": "D"}
    assert floor.most == 2


def test_whoever_needs_another_waits_until_it_is_done() -> None:
    floor = Floor()
    side_by_side("abc", needs(a="c", b="c"), 3, floor.work, never)
    assert floor.order[0] == "c"
    assert floor.seen["a"] >= {"c"}
    assert floor.seen["b"] >= {"c"}


def test_two_that_need_each_other_do_not_wait_for_ever() -> None:
    floor = Floor()
    side_by_side("ab", needs(a="b", b="a"), 2, floor.work, never)
    assert sorted(floor.done) == ["a", "b"]
    assert floor.most == 1


def test_nothing_is_begun_once_it_is_over() -> None:
    floor = Floor()
    found = side_by_side("abc", {}, 1, floor.work, lambda: len(floor.done) >= 1)
    assert found == {"a": "A"}


def test_a_defect_is_raised_when_the_others_are_done() -> None:
    floor = Floor()

    def work(name: str) -> str:
        if name == "a":
            raise ZeroDivisionError
        return floor.work(name)

    with pytest.raises(ZeroDivisionError):
        side_by_side("ab", {}, 2, work, never)
    assert floor.done == ["b"]
