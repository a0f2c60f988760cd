"""Loyalty levels, which belong to companies, between Finance and Operations and Dataverse.

The whole way: tables made by `provision`, the key over a lookup, each command as it is typed.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.acceptance.conftest import Project
    from tests.conftest import FinopsSession

LEVELS = "msdyn_loyaltylevels"
MAP = """\
map: loyalty-levels
commerce: {entity: LoyaltyLevels}
dataverse: {entity: msdyn_loyaltylevels, filter: "msdyn_company/cdm_companycode ne null"}
fields:
  - {commerce: LevelPhrase, sync: "=", dataverse: msdyn_levelphrase, key: true}
  - {commerce: dataAreaId, sync: "=", dataverse: msdyn_company.cdm_companycode, key: true}
  - {commerce: LevelDescription, sync: "=", dataverse: msdyn_description}
"""
TABLES = {
    "cdm_companies": """\
table: cdm_companies
name: cdm_Company
title: Company
titles: Companies
columns:
  - {column: cdm_CompanyCode, title: Company code, type: text, length: 30, required: true}
  - {column: cdm_DefaultOwningTeam, title: Default owning team, type: reference, target: teams}
""",
    LEVELS: """\
table: msdyn_loyaltylevels
name: msdyn_LoyaltyLevel
title: Loyalty level
titles: Loyalty levels
columns:
  - {column: msdyn_LevelPhrase, title: Level, type: text, length: 100, required: true}
  - {column: msdyn_Company, title: Company, type: reference, target: cdm_companies}
  - {column: msdyn_Description, title: Description, type: text, length: 100}
""",
}
COMPANIES = """\
map: companies
commerce: {entity: LoyaltyLevels}
dataverse: {entity: cdm_companies}
fields:
  - {commerce: LevelPhrase, sync: ">", dataverse: cdm_companycode, key: true}
"""


@pytest.fixture
def levels(project: Project, finops: FinopsSession, sandbox: dict[str, Any]) -> Project:
    """A project between both sandboxes, with the tables made and two companies in Dataverse."""
    commerce = {
        "KIND": "finops",
        "URL": sandbox["finops"],
        "AUTHORITY": sandbox["authority"],
        "CLIENT_ID": sandbox["client_id"],
        "CLIENT_SECRET": "env:TEST_CLIENT_SECRET",
        "CA": sandbox["ca"],
    }
    project.environment.update({f"DUALWRITE__COMMERCE__{k}": str(v) for k, v in commerce.items()})
    mappings = project.folder / "mappings"
    for path in mappings.glob("*.yaml"):
        path.unlink()
    for name, text in TABLES.items():
        (mappings / "tables" / f"{name}.yaml").write_text(text, "utf-8")
    publisher = {"uniquename": "cdm", "friendlyname": "CDM", "customizationprefix": "cdm"}
    assert project.connector.post("publishers", json=publisher).status_code == 204
    # A map that is there for its table alone, until that is made.
    (mappings / "companies.yaml").write_text(COMPANIES, "utf-8")
    project.json("provision")
    (mappings / "companies.yaml").unlink()
    (mappings / "loyalty-levels.yaml").write_text(MAP, "utf-8")
    project.json("provision")
    for code in ("USMF", "USRT"):
        made = project.connector.post("cdm_companies", json={"cdm_companycode": code})
        assert made.status_code == 204, made.text
    return project


def in_dataverse(project: Project) -> dict[tuple[str, str], str | None]:
    """What each level of each company is called."""
    query = f"{LEVELS}?$expand=msdyn_Company($select=cdm_companycode)"
    rows = project.connector.get(query).json()["value"]
    company = "msdyn_Company"
    return {
        ((row[company] or {}).get("cdm_companycode", ""), row["msdyn_levelphrase"]): row[
            "msdyn_description"
        ]
        for row in rows
    }


def in_commerce(finops: FinopsSession) -> dict[tuple[str, str], str]:
    rows = finops.get("LoyaltyLevels?cross-company=true").json()["value"]
    return {
        (row["dataAreaId"].upper(), row["LevelPhrase"]): row["LevelDescription"] for row in rows
    }


def test_levels_of_companies_travel_both_ways(levels: Project, finops: FinopsSession) -> None:
    checked = levels.json("check")
    assert [one["code"] for one in checked["problems"] if one["severity"] == "error"] == []
    assert {one["code"] for one in checked["problems"]} <= {"key-incomplete", "preconditions-none"}
    levels.json("load")
    before = in_commerce(finops)
    assert {key for key in before if key[1] == "Gold"} == {("USMF", "Gold"), ("USRT", "Gold")}
    assert set(in_dataverse(levels)) == set(before)
    assert levels.json("verify")["equal"]

    (gold,) = levels.connector.get(
        f"{LEVELS}?$filter=msdyn_levelphrase eq 'Gold' and msdyn_Company/cdm_companycode eq 'USMF'"
    ).json()["value"]
    edited = levels.agent.patch(
        f"{LEVELS}({gold['msdyn_loyaltylevelid']})", json={"msdyn_description": "from CRM"}
    )
    assert edited.status_code == 204
    new = {"dataAreaId": "usrt", "LevelPhrase": "Platinum", "LevelDescription": "new"}
    assert finops.post("LoyaltyLevels", json=new).status_code == 201
    levels.json("sync")
    after = in_commerce(finops)
    assert after["USMF", "Gold"] == "from CRM"
    assert after["USRT", "Gold"] == before["USRT", "Gold"]
    assert in_dataverse(levels)["USRT", "Platinum"] == "new"
    assert levels.json("verify")["equal"]
    shown = levels.json("maps", "preview", "loyalty-levels", "--key", "Gold / usmf")
    assert json.dumps(shown).count("from CRM") >= 2


def test_a_map_that_forgets_the_company_is_told_the_row(levels: Project) -> None:
    path = levels.folder / "mappings" / "loyalty-levels.yaml"
    forgetful = MAP.replace(', filter: "msdyn_company/cdm_companycode ne null"', "")
    lines = [line for line in forgetful.splitlines() if "dataAreaId" not in line]
    path.write_text("\n".join(lines) + "\n", "utf-8")
    found = {one["code"]: one["remedy"] for one in levels.json("check")["problems"]}
    row = '{commerce: dataAreaId, sync: "=", dataverse: msdyn_company.cdm_companycode, key: true}'
    assert row in found["key-without-company"]
    assert "`dataAreaId`" in found["key-incomplete"]


def test_rows_without_a_company_are_left_alone(levels: Project, finops: FinopsSession) -> None:
    levels.connector.post(LEVELS, json={"msdyn_levelphrase": "Ours alone"})
    levels.json("load")
    assert not any(level == "Ours alone" for _, level in in_commerce(finops))
    found = levels.json("verify")
    assert (found["equal"], found["ignored"]) == (True, 1)
    assert levels.json("failures", "list")["failures"] == []


def test_rows_belong_to_the_default_team_of_their_company(levels: Project) -> None:
    made = levels.connector.post("teams", json={"name": "USMF"})
    team = made.headers["OData-EntityId"].rpartition("(")[2].rstrip(")")
    (usmf,) = levels.connector.get(
        "cdm_companies?$filter=cdm_companycode eq 'USMF'&$select=cdm_companyid"
    ).json()["value"]
    pointing = {"cdm_DefaultOwningTeam@odata.bind": f"/teams({team})"}
    reply = levels.connector.patch(f"cdm_companies({usmf['cdm_companyid']})", json=pointing)
    assert reply.status_code == 204, reply.text
    path = levels.folder / "mappings" / "loyalty-levels.yaml"
    owner = "{companies: {usrtt: {team: USMF}}, company: default}"
    path.write_text(MAP.replace("{entity: msdyn_loy", f"{{owner: {owner}, entity: msdyn_loy"))
    found = {one["code"]: one for one in levels.json("check", code=2)["problems"]}
    assert "the default team of USMF" in found["owner-unfit"]["message"]
    assert "USRT" in found["company-without-team"]["message"]
    assert found["owner-company-unknown"]["remedy"] == "did you mean `USRT`?"
    levels.connector.switch("roles", {"team": "USMF", "roles": ["Sandbox agent"]})
    text = path.read_text("utf-8")
    path.write_text(text.replace("usrtt: {team: USMF}", "usrt: {user: agent@sandbox.example}"))
    codes = {one["code"] for one in levels.json("check")["problems"]}
    assert not codes & {"owner-unfit", "company-without-team", "owner-company-unknown"}
    levels.json("load")
    rows = levels.connector.get(f"{LEVELS}?$expand=msdyn_Company($select=cdm_companycode)").json()
    agent = str(levels.agent.get("WhoAmI").json()["UserId"])
    owners = {
        row["msdyn_Company"]["cdm_companycode"]: row["_ownerid_value"] for row in rows["value"]
    }
    assert owners == {"USMF": team, "USRT": agent}
    assert levels.json("verify")["equal"]
