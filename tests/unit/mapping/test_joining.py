"""Laws of joining: what may travel comes apart into what it was, whatever it holds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.mapping.references import parts_of, several
from connector.mapping.transforms.joining import AsKey, Loose, Placed
from connector.mapping.transforms.translate import Untranslatable
from connector.mapping.values import Value

SEPARATORS = [" ", "-", ", ", "--", "|", " / "]
TEXTS = st.one_of(st.none(), st.text("ab -|,/", min_size=1, max_size=6))
PARTS = st.lists(TEXTS, min_size=2, max_size=4)


@given(PARTS, st.sampled_from(SEPARATORS))
def test_what_is_not_refused_comes_apart_into_what_it_was(parts: list[Value], by: str) -> None:
    joining = Placed(by, tuple(f"C{n}" for n in range(len(parts))))
    try:
        joining.refuse(parts)
    except Untranslatable:
        return
    assert list(joining.split(joining.join(parts))) == parts


@given(st.one_of(st.none(), st.text("ab -|", max_size=12)), st.sampled_from(SEPARATORS))
def test_a_whole_that_comes_apart_is_joined_and_comes_apart_alike(
    whole: str | None, by: str
) -> None:
    """A separator at the end is the only thing that may be lost on the way."""
    joining = Placed(by, ("A", "B", "C"))
    try:
        parts = joining.split(whole)
        joining.refuse(parts)
    except Untranslatable:
        return
    again = joining.join(parts)
    assert list(joining.split(again)) == list(parts)
    assert (whole or "").startswith(str(again or ""))
    assert not (whole or "")[len(str(again or "")) :].replace(by, "")


@pytest.mark.parametrize(
    ("parts", "by", "whole"),
    [
        (["Ada", "King"], "-", "Ada-King"),
        (["Ada", None], "-", "Ada"),
        ([None, "King"], "-", "-King"),
        (["Ada", None, "King"], " ", "Ada  King"),
        ([None, None], "-", None),
    ],
)
def test_each_part_keeps_its_place(parts: list[Value], by: str, whole: Value) -> None:
    joining = Placed(by, tuple("ABC"[: len(parts)]))
    joining.refuse(parts)
    assert joining.join(parts) == whole
    assert list(joining.split(whole)) == parts


@pytest.mark.parametrize(
    ("parts", "by", "told"),
    [
        (["Ada-Maria", "King"], "-", "`First` holds 'Ada-Maria'"),
        ([None, "King"], " ", "`First` is empty"),
        (["a-", "b"], "--", "would come apart in another way"),
    ],
)
def test_what_could_be_parted_otherwise_is_refused_by_name(
    parts: list[Value], by: str, told: str
) -> None:
    with pytest.raises(Untranslatable) as refused:
        Placed(by, ("First", "Last")).refuse(parts)
    assert refused.value.code == "join-ambiguous"
    assert told in refused.value.message


def test_a_whole_of_too_many_parts_is_refused_by_its_value() -> None:
    with pytest.raises(Untranslatable, match="'Ada Maria King' has 3 parts, and there are 2"):
        Placed(" ", ("First", "Last")).split("Ada Maria King")


@given(st.lists(TEXTS, min_size=1, max_size=4))
def test_what_rows_are_known_by_comes_apart_but_for_blanks_at_the_end(parts: list[Value]) -> None:
    wanted = [None if part is None else str(part).rstrip(" ") or None for part in parts]
    assert parts_of(several(parts)) == wanted


@given(st.lists(TEXTS, min_size=2, max_size=3), st.lists(TEXTS, min_size=2, max_size=3))
def test_no_two_rows_are_known_by_one_text(one: list[Value], other: list[Value]) -> None:
    if several(one) == several(other):
        assert parts_of(several(one)) == parts_of(several(other))


def test_a_row_is_looked_up_by_its_first_column() -> None:
    joining = AsKey(("Item", "Color", "Company"), own=(0, 1))
    assert joining.join(["shirt", None, "usmf"]) == "shirt /  / usmf"
    assert joining.join([None, None, "usmf"]) is None
    assert list(joining.split(None)) == [None, None, None]
    joining.refuse([None, None, "usmf"])
    with pytest.raises(Untranslatable) as refused:
        joining.refuse([None, "red", "usmf"])
    assert refused.value.code == "lookup-incomplete"


def test_loose_parts_leave_out_what_is_empty() -> None:
    joining = Loose(", ")
    joining.refuse([None, "a, b"])
    assert joining.join([None, "a", None, "b"]) == "a, b"
    assert joining.join([None, None]) is None
