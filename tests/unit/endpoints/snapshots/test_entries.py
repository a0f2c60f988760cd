"""Rows as arrays: finding, sorting, picking."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from connector.endpoints.snapshots.entries import WORD, Entries, search

IDS = st.text(max_size=12)


@given(st.lists(st.tuples(IDS, st.sampled_from(["v1", "v2"])), max_size=40))
def test_latest_is_sorted_and_keeps_the_last_of_each_id(sights: list[tuple[str, str]]) -> None:
    latest = Entries.of(sights).latest()
    expected = dict(sights)
    assert sorted(latest.ids()) == sorted(expected)
    assert [*zip(latest.high, latest.low, strict=True)] == sorted(
        zip(latest.high, latest.low, strict=True)
    )
    one_by_one = {id: Entries.of([(id, version)]).version[0] for id, version in expected.items()}
    assert dict(zip(latest.ids(), latest.version, strict=True)) == one_by_one


@given(st.lists(IDS, unique=True, max_size=40), st.data())
def test_take_picks_ids_with_their_hashes(ids: list[str], data: st.DataObject) -> None:
    entries = Entries.of([(id, "v") for id in ids])
    places = data.draw(st.lists(st.integers(0, max(len(ids) - 1, 0)), max_size=8 if ids else 0))
    taken = entries.take(np.array(places, np.int64))
    assert taken.ids() == [ids[at] for at in places]
    assert taken.high.tolist() == [entries.high[at] for at in places]


@given(st.lists(IDS), st.lists(IDS))
def test_what_is_there_is_found(held: list[str], wanted: list[str]) -> None:
    entries = Entries.of([(id, "v") for id in held]).latest()
    places = entries.places_of(Entries.of([(id, "") for id in wanted]))
    ids = entries.ids()
    assert [ids[at] if at >= 0 else None for at in places] == [
        id if id in held else None for id in wanted
    ]


def test_one_half_of_a_hash_may_be_shared() -> None:
    high = np.array([1, 7, 7, 7, 9], WORD)
    low = np.array([5, 1, 2, 4, 5], WORD)
    none = np.empty(0, np.uint8)
    wanted_low = np.array([1, 2, 3, 4, 5, 5, 5], WORD)
    wanted_high = np.array([7, 7, 7, 7, 7, 9, 1], WORD)
    wanted = Entries(wanted_high, wanted_low, wanted_low, np.zeros(7, WORD), none)
    assert len(wanted.latest()) == 7
    assert search(high, low, wanted).tolist() == [1, 2, -1, 3, -1, 4, 0]
