"""Requests take as much as they may, in the order asked, and lose nothing."""

from __future__ import annotations

from urllib.parse import quote

from hypothesis import given
from hypothesis import strategies as st

from connector.endpoints.web.portions import OR, conditions_in, portions


@given(st.lists(st.text(max_size=40)), st.integers(1, 200), st.none() | st.integers(1, 5))
def test_everything_is_asked_for_once_and_nothing_is_too_long(
    conditions: list[str], longest: int, most: int | None
) -> None:
    parted = list(conditions_in(conditions, longest, most))
    assert [one for portion in parted for one in portion] == conditions
    for portion in parted:
        assert portion
        assert most is None or len(portion) <= most
        size = sum(len(quote(one)) + OR for one in portion)
        assert size <= longest or len(portion) == 1


def test_a_portion_is_filled_before_the_next_begins() -> None:
    assert list(portions(["aa", "bb", "c", "dddd", "e"], len, 5)) == [
        ["aa", "bb", "c"],
        ["dddd", "e"],
    ]
    assert list(portions("abc", len, 100, 2)) == [["a", "b"], ["c"]]
    assert list(portions([], len, 5)) == []
