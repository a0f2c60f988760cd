"""Rows of companies: who sees which."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.integration.sandbox.finops.conftest import GROUPS

if TYPE_CHECKING:
    from tests.conftest import FinopsSession

USMF = f"{GROUPS}(dataAreaId='usmf',CustomerGroupId='10')"


def companies(finops: FinopsSession, query: str = "") -> set[str]:
    return {one["dataAreaId"] for one in finops.get(f"{GROUPS}?{query}").json()["value"]}


def test_a_list_is_of_the_default_company(finops: FinopsSession) -> None:
    assert companies(finops) == {"usrt"}
    assert companies(finops, "$filter=dataAreaId eq 'usmf'") == set()


@pytest.mark.parametrize("word", ["true", "True"])
def test_unless_all_companies_are_asked_for(finops: FinopsSession, word: str) -> None:
    assert companies(finops, f"cross-company={word}") == {"usrt", "usmf"}
    assert companies(finops, f"cross-company={word}&$filter=dataAreaId eq 'USMF'") == {"usmf"}
    assert finops.get(f"{GROUPS}/$count?cross-company={word}").text == "4"


def test_a_row_of_another_company_is_not_there_without_it(finops: FinopsSession) -> None:
    assert finops.get(USMF).status_code == 404
    assert finops.patch(USMF, json={"Description": "x"}).status_code == 404
    assert finops.delete(USMF).status_code == 404
    assert finops.get(f"{USMF}?cross-company=true").status_code == 200
    assert finops.patch(f"{USMF}?cross-company=true", json={"Description": "x"}).status_code == 204
    assert finops.get(f"{USMF}?cross-company=true").json()["Description"] == "x"
    assert finops.delete(f"{USMF}?cross-company=true").status_code == 204


def test_a_new_row_belongs_where_it_says(finops: FinopsSession) -> None:
    made = finops.post(GROUPS, json={"dataAreaId": "USMF", "CustomerGroupId": "30"})
    assert (made.status_code, made.json()["dataAreaId"]) == (201, "usmf")
    own = finops.post(GROUPS, json={"CustomerGroupId": "30"})
    assert own.json()["dataAreaId"] == "usrt"
    wrong = finops.post(GROUPS, json={"dataAreaId": "xx", "CustomerGroupId": "30"})
    assert (wrong.status_code, "does not exist" in wrong.text) == (400, True)


def test_a_user_has_a_default_company_and_sees_some(finops: FinopsSession) -> None:
    finops.switch("users", {"user": "connector", "company": "usmf", "companies": ["usmf"]})
    assert companies(finops) == {"usmf"}
    assert companies(finops, "cross-company=true") == {"usmf"}


def test_rows_of_no_company_are_for_all(finops: FinopsSession) -> None:
    finops.switch("users", {"user": "connector", "company": "dat", "companies": ["dat"]})
    assert companies(finops) == set()
    assert finops.get("Currencies('USD')").status_code == 200
