"""Query ranges and OData conditions, each as the other."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.mapping.filters.text import BadFilter
from connector.mapping.moving.query_range import dataverse_condition, to_odata, to_query_range

EQUAL = {
    "(AssociatedContactType = 1)": "AssociatedContactType eq 1",
    '((PartyType == "Person"))': "PartyType eq 'Person'",
    "(Kind == Tender::AsCard) && (Size >= 2.5)": "Kind eq 'AsCard' and Size ge 2.5",
    'A != "" || !(B < 3)': "A ne null or not (B lt 3)",
    '(A == "x" || A == "y") && B > -1': "(A eq 'x' or A eq 'y') and B gt -1",
    'Name like "A*"': "startswith(Name, 'A')",
    'Name LIKE "*A"': "endswith(Name, 'A')",
    'Name like "*A*"': "contains(Name, 'A')",
    'Name like "A"': "Name eq 'A'",
    "Day == 31\\12\\2026": "Day eq 2026-12-31",
    "Name == 'O\"Hara'": "Name eq 'O\"Hara'",
    'Name == "O\'Hara"': "Name eq 'O''Hara'",
    "A == B": "A eq B",
}


@pytest.mark.parametrize("text", EQUAL)
def test_a_query_range_as_odata(text: str) -> None:
    assert to_odata(text) == EQUAL[text]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "A",
        "A ==",
        "== 3",
        "A == 3 B == 4",
        "(A == 3",
        "A == 3)",
        "A <> 3",
        "A.B == 3",
        'Name like "A?B"',
        'Name like "A*B"',
        'Name like "*"',
        "Name like A",
        "Day == 31\\02\\2026",
        'A == "open',
        "A == 12abc",
        "!" * 100 + "A == 3",
        "(" * 100 + "A == 3" + ")" * 100,
        "A == 1 || " * 2000 + "A == 1",
    ],
)
def test_what_has_no_equal_is_refused(text: str) -> None:
    with pytest.raises(BadFilter):
        to_odata(text)


RANGES = {
    "Blocked eq 'No' and Size gt 3": '((Blocked == "No") && (Size > 3))',
    "A eq null or not (B le 2026-01-31)": '((A == "") || (!(B <= 31\\01\\2026)))',
    "startswith(N, 'x')": '(N like "x*")',
    "endswith(N, 'x')": '(N like "*x")',
    "contains(N, 'x')": '(N like "*x*")',
}


@pytest.mark.parametrize("text", RANGES)
def test_an_odata_condition_as_a_query_range(text: str) -> None:
    assert to_query_range(text) == RANGES[text]


@pytest.mark.parametrize(
    "text",
    [
        "A in ('x')",
        "A eq true",
        "A eq 'say \"x\"'",
        "startswith(N, 'a*b')",
        "tolower(A) eq 'x'",
        "A eq 2026-01-31T00:00:00Z",
        "A",
    ],
)
def test_a_condition_without_a_range_is_refused(text: str) -> None:
    with pytest.raises(BadFilter):
        to_query_range(text)


columns = st.sampled_from(["A", "PartyType", "x_1"])
values = st.one_of(
    st.integers(0, 10**9).map(str),
    st.text("abc*' ?", min_size=1).map(lambda text: "'" + text.replace("'", "''") + "'"),
    st.dates(date(1000, 1, 1)).map(lambda day: day.isoformat()),
    st.just("null"),
)
comparisons = st.tuples(columns, st.sampled_from(["eq", "ne"]), values).map(" ".join)
conditions = st.recursive(
    comparisons,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["and", "or"]), inner).map(
            lambda parts: f"({parts[0]}) {parts[1]} ({parts[2]})"
        ),
        inner.map(lambda one: f"not ({one})"),
    ),
    max_leaves=6,
)


@given(conditions)
def test_there_and_back_a_condition_stays_what_it_is(text: str) -> None:
    there = to_query_range(text)
    assert to_query_range(to_odata(there)) == there


def test_dataverse_takes_the_empty_text_for_null() -> None:
    condition = dataverse_condition("a eq '' and b ne  '' and c eq ' ' and d eq 'x eq '''")
    assert condition == "a eq null and b ne null and c eq ' ' and d eq 'x eq '''"
    with pytest.raises(BadFilter):
        dataverse_condition("a = 1")
