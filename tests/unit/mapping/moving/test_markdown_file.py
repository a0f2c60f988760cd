"""Pages of Microsoft's documentation, in every form they have had."""

from __future__ import annotations

import pytest

from connector.mapping.moving.markdown_file import read_markdown
from connector.mapping.moving.template import Template
from connector.mapping.values import Side


def page(*rows: str, heading: str = "### Things (new_things)", filters: str = "") -> Template:
    text = f"{heading}\n\n{filters}\n\nF | Map type | C | Default value\n---|---|---|---\n"
    (template,) = read_markdown(text + "\n".join(rows), "page.md")
    return template


@pytest.mark.parametrize(
    "heading",
    [
        '###  <a name="149"></a>Loyalty card (msdyn_loyaltycards)',
        "## Loyalty card to msdyn_loyaltycards",
        "## Loyalty card to msdyn\\_loyaltycards",
        "# Loyalty card <-> msdyn_loyaltycards",
        '## 2. Map "Loyalty card" <-> `msdyn_loyaltycards` (anchor #149) - COMPLETE',
        "#### Loyalty card and msdyn_loyaltycards",
        "## Loyalty card -- msdyn_loyaltycards",
    ],
)
def test_a_heading_names_both_tables(heading: str) -> None:
    template = page("A | = | b |", heading=heading)
    assert (template.commerce, template.dataverse) == ("Loyalty card", "msdyn_loyaltycards")


def test_a_heading_of_the_oldest_form() -> None:
    template = page("A | = | b |", heading="## FO.LoyaltyCard--CDS.msdyn_loyaltycards")
    assert (template.commerce, template.dataverse) == ("LoyaltyCard", "msdyn_loyaltycards")


def test_a_heading_that_names_one_table_leaves_the_other_open() -> None:
    template = page("A | = | b |", heading="## Loyalty cards")
    assert (template.commerce, template.dataverse) == ("Loyalty cards", "")


def test_every_symbol_is_a_direction_with_or_without_transform() -> None:
    symbols = ["=", "><", ">", ">>", "<", "<<", "\\>\\<", "&lt;", "`>>`"]
    template = page(*(f"A{at} | {symbol} | b{at} | x" for at, symbol in enumerate(symbols)))
    assert [(row.way, row.transformed) for row in template.rows] == [
        ("=", False),
        ("=", True),
        (">", False),
        (">", True),
        ("<", False),
        ("<", True),
        ("=", True),
        ("<", False),
        (">", True),
    ]
    assert {row.way: row.default_to for row in template.rows} == {
        "=": Side.DATAVERSE,
        ">": Side.DATAVERSE,
        "<": Side.COMMERCE,
    }


@pytest.mark.parametrize(
    "row",
    [
        "A | ><<br>`yes` : `True`<br>`no` : `False` | b |",
        "A | ><<br/>`yes`: `True`<br />`no`:`False` | b |",
        "A | >< | b | yes=True, no=False",
        "| A | >< | b | `yes=True`, `no=False` |",
        "| 3 | A | `><` | b | yes=True, no=False |",
    ],
)
def test_a_value_map_stands_behind_the_symbol_or_in_the_last_cell(row: str) -> None:
    (one,) = page(row).rows
    assert (one.commerce, one.way, one.dataverse) == ("A", "=", "b")
    assert one.pairs == (("yes", "True"), ("no", "False"))
    assert one.default is None


def test_one_way_to_commerce_with_a_value_map_is_told_from_the_break_behind_it() -> None:
    rows = page("A | <<<br>`no` : `False` | b |", "C | <<br>`x` : `y` | d |").rows
    assert [(row.way, row.transformed, row.pairs) for row in rows] == [
        ("<", True, (("no", "False"),)),
        ("<", False, (("x", "y"),)),
    ]


def test_constants_filters_and_blanks() -> None:
    template = page(
        "none | >> | msdyn_contactforvendor | True",
        "ASSOCIATEDCONTACTTYPE | << | none | Vendor",
        "REPLACEMENTDATE | ><<br>`1/1/1900` : blank | msdyn_replacementdate |",
        filters="Source filter: `(A = 1)`\n\nReversed source filter: b eq true",
    )
    first, second, third = template.rows
    assert (first.commerce, first.dataverse, first.default) == (
        None,
        "msdyn_contactforvendor",
        "True",
    )
    assert (second.commerce, second.dataverse, second.default) == (
        "ASSOCIATEDCONTACTTYPE",
        None,
        "Vendor",
    )
    assert third.pairs == (("1/1/1900", "blank"),)
    assert template.commerce_filter == "(A = 1)"
    assert template.dataverse_filter == "b eq true"


@pytest.mark.parametrize(
    "cell", ["Yes=True, No=False", "`Yes`: `True`, `No`: `False`", "`Yes`=`True`; `No`=`False`"]
)
def test_a_value_map_in_the_last_cell(cell: str) -> None:
    (row,) = page(f"A | >< | b | {cell}").rows
    assert (row.pairs, row.default) == ((("Yes", "True"), ("No", "False")), None)


def test_a_default_in_the_marks_of_code_stays_a_default() -> None:
    (row,) = page("none | >> | b | `True`").rows
    assert (row.pairs, row.default) == ((), "True")


def test_a_row_without_a_symbol_is_told_of_with_its_line() -> None:
    template = page("A | = | b |", "C | 3 | d |")
    assert [row.commerce for row in template.rows] == ["A"]
    (problem,) = template.problems
    assert (problem.code, problem.subject.line) == ("import-row", 8)


def test_tables_that_are_no_maps_are_passed_over() -> None:
    assert read_markdown("# T\n\na | b | c\n---|---|---\n1 | 2 | 3\n", "page.md") == []


def test_each_table_has_the_heading_above_it() -> None:
    text = (
        "## One (ones)\n\nF | M | C\n---|---|---\nA | = | a\n\n## Two (twos)\n\nF|M|C\n-|-|-\nB|>|b"
    )
    assert [(t.commerce, t.subject.line) for t in read_markdown(text, "p")] == [
        ("One", 1),
        ("Two", 7),
    ]
