"""The column that says who changed a row last names people only."""

from __future__ import annotations

from connector.endpoints.base import Applied, Found, Missing, Page, Row
from connector.endpoints.dataverse.authors import Authors

COLUMNS = ["name", "ModifiedBy"]
US, ANNA = "us", "anna"


def row(modifier: str | None) -> Row:
    return Row("1", "7", ("x", modifier), None, modifier)


def never() -> frozenset[str]:
    raise AssertionError("nobody needs to be asked who we are")


def test_our_own_users_are_nobody_and_stay_the_modifier() -> None:
    authors = Authors(COLUMNS, lambda: frozenset({US}))
    (ours, hers, old) = authors.rows([row(US), row(ANNA), row(None)])
    assert (ours.image, ours.modifier) == (("x", None), US)
    assert (hers, old) == (row(ANNA), row(None))
    (page,) = authors.pages([Page([row(US)], deleted=["2"], position="p", last=True)])
    assert page == Page([ours], deleted=["2"], position="p", last=True)
    assert authors.found(Found({"x": [row(US)]})).rows == {"x": [ours]}
    done, plain = Applied("1", row(US)), Applied("1")
    assert authors.outcomes([done, plain, Missing()]) == [Applied("1", ours), plain, Missing()]


def test_a_map_without_the_column_costs_nothing() -> None:
    authors = Authors(["name", "createdby"], never)
    rows = [row(US)]
    assert authors.rows(rows) is rows
