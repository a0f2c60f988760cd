"""Ids sort by the time they were made and are valid GUIDs."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor

from connector.ledger.ids import TimeOrderedIds


def test_ids_are_version_7_guids_that_carry_their_time() -> None:
    made = uuid.UUID(TimeOrderedIds(milliseconds=lambda: 1_767_348_000_000)())
    assert made.version == 7
    assert made.variant == uuid.RFC_4122
    assert made.int >> 80 == 1_767_348_000_000


def test_ids_rise_also_when_the_clock_steps_back() -> None:
    times = iter([1000, 1000, 900, 1001])
    make = TimeOrderedIds(milliseconds=lambda: next(times))
    made = [make() for _ in range(4)]
    assert made == sorted(made)


def test_ids_rise_when_a_millisecond_has_more_than_its_counter_holds() -> None:
    make = TimeOrderedIds(milliseconds=lambda: 1000, random_bytes=bytes)
    made = [make() for _ in range(10_000)]
    assert made == sorted(set(made))


def test_two_makers_at_the_same_moment_make_different_ids() -> None:
    first, second = (TimeOrderedIds(milliseconds=lambda: 1000) for _ in range(2))
    assert first() != second()


def test_threads_never_get_the_same_id() -> None:
    make = TimeOrderedIds(milliseconds=lambda: 1000, random_bytes=bytes)
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda _: make(), range(4000)))
    assert len(set(made)) == 4000
