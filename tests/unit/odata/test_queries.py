"""Filters and query strings, against texts written by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from odata_query import ast

from connector.odata.filters import parse_filter
from connector.odata.literals import Guid
from connector.odata.malformed import MalformedError
from connector.odata.queries import equals, in_function, query_string


def test_equals() -> None:
    assert equals("msdyn_cardnumber", "O'Brian") == "msdyn_cardnumber eq 'O''Brian'"
    assert equals("statecode", 0) == "statecode eq 0"
    guid = Guid("0c2f9b5e-0000-4000-8000-00000000abcd")
    assert equals("_x_value", guid) == "_x_value eq 0c2f9b5e-0000-4000-8000-00000000abcd"


def test_in_function() -> None:
    assert in_function("msdyn_cardnumber", ["C-1", 'a"b', "O'B", "ä"]) == (
        "Microsoft.Dynamics.CRM.In(PropertyName='msdyn_cardnumber',"
        'PropertyValues=["C-1","a\\"b","O\'B","ä"])'
    )


def test_query_string_encodes_what_would_end_a_value() -> None:
    options = {"$select": "a,b", "$filter": "a eq 'x&y #1+1=2 50% ä'", "$top": "1"}
    assert query_string(options) == (
        "$select=a,b&$filter=a%20eq%20'x%26y%20%231%2B1=2%2050%25%20%C3%A4'&$top=1"
    )


def test_a_plain_filter_is_a_tree() -> None:
    assert parse_filter("statecode eq 0 and name ne 'O''B'") == ast.BoolOp(
        ast.And(),
        ast.Compare(ast.Eq(), ast.Identifier("statecode"), ast.Integer("0")),
        ast.Compare(ast.NotEq(), ast.Identifier("name"), ast.String("O'B")),
    )


def test_in_and_not_in_become_comparisons_with_a_list() -> None:
    name = ast.Identifier("nr")
    members = ast.List([ast.String("a'b"), ast.String('")]'), ast.Integer("5")])
    test = ast.Compare(ast.In(), name, members)
    call = """(PropertyName='nr',PropertyValues=["a'b","\\")]",5])"""
    assert parse_filter(f"Microsoft.Dynamics.CRM.In{call}") == test
    assert parse_filter(f"Microsoft.Dynamics.CRM.NotIn{call}") == ast.UnaryOp(ast.Not(), test)
    assert parse_filter(f"a eq 1 or (Microsoft.Dynamics.CRM.In{call} and b gt 2)") == ast.BoolOp(
        ast.Or(),
        ast.Compare(ast.Eq(), ast.Identifier("a"), ast.Integer("1")),
        ast.BoolOp(ast.And(), test, ast.Compare(ast.Gt(), ast.Identifier("b"), ast.Integer("2"))),
    )


def test_in_over_a_navigation_path() -> None:
    tree = parse_filter(
        "Microsoft.Dynamics.CRM.In(PropertyName='cur/isocurrencycode',PropertyValues=[\"EUR\"])"
    )
    owner = ast.Attribute(ast.Identifier("cur"), "isocurrencycode")
    assert tree == ast.Compare(ast.In(), owner, ast.List([ast.String("EUR")]))


def test_the_function_name_inside_a_string_is_a_string() -> None:
    text = "Microsoft.Dynamics.CRM.In(PropertyName=''x'',PropertyValues=["
    tree = parse_filter(f"name eq '{text}'")
    assert tree == ast.Compare(
        ast.Eq(), ast.Identifier("name"), ast.String(text.replace("''", "'"))
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a eq",
        "a eq 'x",
        "a is 1",
        "nosuch(a)",
        "Microsoft.Dynamics.CRM.In(PropertyName='x',PropertyValues=[1,)",
        "Microsoft.Dynamics.CRM.In(PropertyName='x',PropertyValues=[1]",
    ],
)
def test_broken_filters_are_refused(text: str) -> None:
    with pytest.raises(MalformedError):
        parse_filter(text)


@given(st.lists(st.text(), min_size=1, max_size=5))
def test_in_values_round_trip(values: list[str]) -> None:
    tree = parse_filter(in_function("nr", values))
    assert isinstance(tree, ast.Compare)
    assert isinstance(tree.right, ast.List)
    assert [node.py_val for node in tree.right.val] == values
