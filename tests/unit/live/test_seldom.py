"""Trouble that lasts is told seldom."""

from __future__ import annotations

from connector.live.seldom import EVERY, Seldom


def test_it_is_told_when_it_begins_and_every_quarter_of_an_hour() -> None:
    trouble = Seldom()
    told = [now for now in range(0, 4000, 10) if trouble.due("unreachable", float(now))]
    assert told == [0, EVERY, 2 * EVERY, 3 * EVERY, 4 * EVERY]


def test_other_trouble_and_trouble_that_comes_back_is_new() -> None:
    trouble = Seldom()
    assert trouble.due("unreachable", 0.0)
    assert trouble.due("throttled", 1.0)
    assert not trouble.due("unreachable", 2.0)
    trouble.over()
    assert trouble.due("unreachable", 3.0)
