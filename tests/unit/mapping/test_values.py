"""The normal form of keys."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.mapping.values import Side, has_control, normal_key, visible


@pytest.mark.parametrize(
    ("parts", "normal"),
    [
        (("C1",), "c1"),
        (("c1  ",), "c1"),
        (("  c1",), "  c1"),
        (("Straße",), "strasse"),
        ((55103,), "55103"),
        (("A", "B "), "a\x1fb"),
        (("A", 7), "a\x1f7"),
        (("",), None),
        (("   ",), None),
        ((None,), None),
        (("A", None), None),
        ((None, "A"), None),
        (("A", ""), None),
        ((0,), "0"),
    ],
)
def test_normal_form(parts: tuple[str | int | None, ...], normal: str | None) -> None:
    assert normal_key(*parts) == normal


@given(st.text())
def test_case_and_trailing_blanks_do_not_count(key: str) -> None:
    assert normal_key(key) == normal_key(key + "  ")
    folded = normal_key(key)
    assert folded is None or normal_key(folded) == folded


@given(st.lists(st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1), min_size=2))
def test_parts_do_not_run_into_each_other(parts: list[str]) -> None:
    whole = normal_key(*parts)
    assert whole is None or len(whole.split("\x1f")) == len(parts)


def test_sides_are_each_others_other() -> None:
    assert Side.COMMERCE.other is Side.DATAVERSE
    assert Side.DATAVERSE.other is Side.COMMERCE


@pytest.mark.parametrize("control", ["\x00", "\t", "\x1f", "\x7f", "\x85"])
def test_a_control_character_makes_no_key(control: str) -> None:
    text = f"a{control}b"
    assert normal_key(text) is None
    assert normal_key("a", text) is None
    assert visible(text) == "a\ufffdb"
    assert has_control(text)


@pytest.mark.parametrize("text", ["Größe \u00a0 x", "\u200b", "中", "a b"])
def test_no_other_character_does(text: str) -> None:
    assert normal_key(text) == text.casefold()
    assert visible(text) == text
    assert not has_control(text)
