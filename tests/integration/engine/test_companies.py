"""Rows that belong to a company: loyalty levels, whose key is the level and the company it is of.

In commerce the company is a text, in Dataverse a lookup; both are read and written as the code.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from connector.endpoints.base import Create
from connector.errors import MapError
from connector.mapping.columns import Column, Reference
from connector.mapping.values import Side, Value, ValueType, normal_key
from connector.store.record import State
from tests.integration.engine.scripted import ScriptedEndpoint, Table

if TYPE_CHECKING:
    from connector.engine.runs.run import MapRun
    from tests.integration.engine.conftest import Bench, MakeBench

C, D = Side.COMMERCE, Side.DATAVERSE
COMPANY = '{commerce: dataAreaId, sync: "=", dataverse: msdyn_company.cdm_companycode, key: true}'
TEXT = f"""\
map: levels
commerce: {{entity: LoyaltyLevels%s}}
dataverse: {{entity: msdyn_loyaltylevels%s}}
fields:
  - {COMPANY}
  - {{commerce: LevelPhrase, sync: "=", dataverse: msdyn_levelphrase, key: true}}
  - {{commerce: LevelDescription, sync: "=", dataverse: msdyn_description}}
  - {{commerce: GroupId, sync: "=", dataverse: msdyn_group.msdyn_groupid}}
"""


WHOLE_NUMBERS = (Column("teamtype", ValueType.INTEGER), Column("isdefault", ValueType.BOOLEAN))


def texts(*names: str) -> tuple[Column, ...]:
    return tuple(Column(name, ValueType.TEXT) for name in names)


def lookup(name: str, target: str) -> Column:
    return Column(name, ValueType.REFERENCE, reference=Reference(target, "id"))


def world(make_bench: MakeBench, commerce: str = "", dataverse: str = "") -> Bench:
    """Two companies, with a group of one name in each."""
    bench = make_bench(TEXT % (commerce, dataverse), page=50)
    levels = Table(texts("dataAreaId", "LevelPhrase", "LevelDescription", "GroupId"), "LevelPhrase")
    bench.commerce = ScriptedEndpoint("commerce", {"LoyaltyLevels": levels}, sees_creates=True)
    company = lookup("msdyn_company", "cdm_companies")
    held = (*texts("msdyn_levelphrase", "msdyn_description", "ownerid"), company)
    tables = {
        "msdyn_loyaltylevels": Table((*held, lookup("msdyn_group", "groups")), "msdyn_levelphrase"),
        "cdm_companies": Table(
            (*texts("cdm_companycode"), lookup("cdm_defaultowningteam", "teams")), "cdm_companycode"
        ),
        "teams": Table((*texts("name"), *WHOLE_NUMBERS), "name"),
        "groups": Table((*texts("msdyn_groupid"), company), "msdyn_groupid"),
    }
    bench.dataverse = ScriptedEndpoint("dataverse", tables, sees_creates=False)
    bench.commerce.unique = bench.dataverse.unique = False
    for code in ("USMF", "USRT"):
        bench.dataverse.put("cdm_companies", f"id-{code}", cdm_companycode=code)
        group = f"group-{code}"
        bench.dataverse.put("groups", group, msdyn_groupid="10", msdyn_company=f"id-{code}")
    return bench


def owning(make_bench: MakeBench, owner: str) -> Bench:
    """The same, where one company has a default team and the other has none."""
    bench = world(make_bench, "", f", owner: {owner}")
    for id, name in (("team-USMF", "USMF"), ("team-desk", "Desk")):
        bench.dataverse.put("teams", id, name=name, teamtype=0, isdefault=True)
    bench.dataverse.put("cdm_companies", "id-USMF", cdm_defaultowningteam="team-USMF")
    for company in ("usmf", "usrt"):
        add(bench, C, company, "Gold")
        add(bench, C, company, "Silver")
    bench.load()
    return bench


def owners(bench: Bench) -> dict[str, object]:
    """Who owns the rows of each company."""
    rows = held(bench, D)
    return {str(company): row["ownerid"] for (company, _), row in rows.items()}


def add(bench: Bench, side: Side, company: str | None, level: str, **values: Value) -> str:
    id = f"{side}-{company}-{level}"
    if side is C:
        bench.commerce.put("LoyaltyLevels", id, dataAreaId=company, LevelPhrase=level, **values)
    else:
        held = f"id-{company}" if company else None
        names = {"msdyn_company": held, "msdyn_levelphrase": level}
        bench.dataverse.put("msdyn_loyaltylevels", id, **names, **values)
    return id


def held(bench: Bench, side: Side) -> dict[tuple[object, object], dict[str, Value]]:
    """The rows of a side by company and level."""
    keyed: dict[tuple[object, object], dict[str, Value]] = {}
    if side is C:
        rows = [row.values for row in bench.commerce.rows["LoyaltyLevels"].values()]
        keyed.update(((normal_key(row["dataAreaId"]), row["LevelPhrase"]), row) for row in rows)
    else:
        rows = [row.values for row in bench.dataverse.rows["msdyn_loyaltylevels"].values()]
        keyed.update(((row["msdyn_company"], row["msdyn_levelphrase"]), row) for row in rows)
    assert len(keyed) == len(rows)
    return keyed


@pytest.fixture
def bench(make_bench: MakeBench) -> Bench:
    """Gold in both companies, silver in one; bronze comes from Dataverse."""
    bench = world(make_bench)
    add(bench, C, "usmf", "Gold", LevelDescription="ours")
    add(bench, C, "usrt", "Gold", LevelDescription="theirs", GroupId="10")
    add(bench, C, "usmf", "Silver", GroupId="10")
    add(bench, D, "USRT", "Bronze", msdyn_description="made in CRM", msdyn_group="group-USRT")
    assert bench.load().finished
    return bench


def test_one_level_in_two_companies_is_two_records(bench: Bench) -> None:
    rows = held(bench, D)
    assert rows["id-USMF", "Gold"]["msdyn_description"] == "ours"
    assert rows["id-USRT", "Gold"]["msdyn_description"] == "theirs"
    bronze = held(bench, C)["usrt", "Bronze"]
    assert (bronze["dataAreaId"], bronze["LevelDescription"]) == ("USRT", "made in CRM")
    assert sorted(bench.records()) == [
        "bronze\x1fusrt",
        "gold\x1fusmf",
        "gold\x1fusrt",
        "silver\x1fusmf",
    ]
    bench.assert_settled()


def test_a_lookup_finds_the_row_of_the_same_company(bench: Bench) -> None:
    rows = held(bench, D)
    assert rows["id-USMF", "Silver"]["msdyn_group"] == "group-USMF"
    assert rows["id-USRT", "Gold"]["msdyn_group"] == "group-USRT"
    assert held(bench, C)["usrt", "Bronze"]["GroupId"] == "10"


def test_a_row_of_another_company_is_refused_by_name(bench: Bench) -> None:
    bench.dataverse.put("msdyn_loyaltylevels", "dataverse-USRT-Bronze", msdyn_group="group-USMF")
    bench.sync()
    record = bench.record("bronze\x1fusrt")
    assert record.state is State.PARKED
    assert record.problem is not None
    assert record.problem.code == "reference-elsewhere"
    assert "'USMF' for `dataAreaId`, the record itself 'USRT'" in record.problem.message


def test_edits_travel_within_their_company(bench: Bench) -> None:
    bench.commerce.put("LoyaltyLevels", "commerce-usmf-Gold", LevelDescription="edited")
    bronze = "dataverse-USRT-Bronze"
    bench.dataverse.put("msdyn_loyaltylevels", bronze, msdyn_description="changed")
    add(bench, D, "USMF", "Bronze")
    bench.sync()
    rows = held(bench, D)
    assert rows["id-USMF", "Gold"]["msdyn_description"] == "edited"
    assert rows["id-USRT", "Gold"]["msdyn_description"] == "theirs"
    assert held(bench, C)["usrt", "Bronze"]["LevelDescription"] == "changed"
    assert held(bench, C)["usmf", "Bronze"]["LevelDescription"] is None
    bench.assert_settled()


def test_a_company_is_asked_for_once(make_bench: MakeBench) -> None:
    asked: list[int] = []
    for levels in (20, 40):
        bench = world(make_bench)
        for n in range(levels):
            add(bench, C, "usmf" if n % 2 else "usrt", f"L{n}")
        bench.load()
        assert len(held(bench, D)) == levels
        asked.append(bench.dataverse.calls["read"])
    assert asked[0] == asked[1], "however many rows there are"


def test_a_record_waits_for_its_company_and_is_not_made_without(make_bench: MakeBench) -> None:
    bench = world(make_bench)
    add(bench, C, "demf", "Gold")
    bench.load()
    record = bench.record("gold\x1fdemf")
    assert record.state is State.WAITING
    assert held(bench, D) == {}
    (wait,) = bench.open().waits("levels")
    assert (wait.entity, wait.column, wait.value) == ("cdm_companies", "cdm_companycode", "demf")
    verdict = bench.verify()
    assert (verdict.differences, verdict.excused) == (0, 1)
    bench.dataverse.put("cdm_companies", "id-DEMF", cdm_companycode="DEMF")
    bench.sync()
    assert list(held(bench, D)) == [("id-DEMF", "Gold")]
    bench.assert_settled()


def test_a_row_moved_to_another_company_is_a_changed_key(bench: Bench) -> None:
    bench.dataverse.put("msdyn_loyaltylevels", "dataverse-USRT-Bronze", msdyn_company="id-USMF")
    bench.sync()
    record = bench.record("bronze\x1fusrt")
    assert record.problem is not None
    assert record.problem.code == "key-changed"
    assert "Bronze / USMF" in record.problem.message


@pytest.mark.parametrize(
    ("commerce", "dataverse"),
    [
        (", filter: \"dataAreaId eq 'usmf'\"", ""),
        ("", ", filter: \"msdyn_company/cdm_companycode eq 'usmf'\""),
    ],
)
def test_one_company_alone(make_bench: MakeBench, commerce: str, dataverse: str) -> None:
    bench = world(make_bench, commerce, dataverse)
    for company in ("usmf", "usrt"):
        add(bench, C, company, "Gold")
        add(bench, D, company.upper(), "Bronze")
    bench.load()
    both = {("id-USMF", "Gold"), ("id-USMF", "Bronze"), ("id-USRT", "Bronze")}
    mine = both | ({("id-USRT", "Gold")} if dataverse else set())
    assert set(held(bench, D)) == mine
    verdict = bench.verify()
    assert (verdict.differences, verdict.ignored) == (0, 1)


def test_verify_and_repair_go_by_the_whole_key(bench: Bench) -> None:
    bench.dataverse.drop("msdyn_loyaltylevels", _id(bench, "id-USMF", "Gold"))
    verdict = bench.verify()
    assert [(f.key, f.reason) for f in verdict.findings] == [("Gold / usmf", "only in commerce")]
    assert bench.verify_one("gold / USRT").equal
    assert not bench.verify_one("gold / usmf").equal
    assert bench.repair().equal
    assert ("id-USMF", "Gold") in held(bench, D)
    bench.assert_settled()


def _id(bench: Bench, company: str, level: str) -> str:
    rows = bench.dataverse.rows["msdyn_loyaltylevels"]
    wanted = (company, level)
    return next(
        id
        for id, row in rows.items()
        if (row.values["msdyn_company"], row.values["msdyn_levelphrase"]) == wanted
    )


def test_what_leaves_for_dataverse_points_to_the_company(bench: Bench) -> None:
    made = [one for one in bench.dataverse.written if isinstance(one, Create)]
    assert {one.values["msdyn_company"] for one in made} == {"id-USMF", "id-USRT"}
    assert not any("." in name for one in made for name in one.values)


def test_rows_without_a_company_are_left_alone_by_a_filter(make_bench: MakeBench) -> None:
    bench = world(make_bench, "", ', filter: "msdyn_company/cdm_companycode ne null"')
    add(bench, D, None, "Gold")
    add(bench, D, "USMF", "Silver")
    add(bench, C, "usmf", "Gold")
    bench.load()
    assert not [r for rs in bench.records().values() for r in rs if r.state is State.PARKED]
    assert set(held(bench, D)) == {("id-USMF", "Silver"), ("id-USMF", "Gold"), (None, "Gold")}
    assert set(held(bench, C)) == {("usmf", "Silver"), ("usmf", "Gold")}
    verdict = bench.verify()
    assert (verdict.differences, verdict.ignored) == (0, 1)
    bench.dataverse.put("msdyn_loyaltylevels", "dataverse-None-Gold", msdyn_company="id-USRT")
    bench.sync()
    assert ("usrt", "Gold") in held(bench, C)
    bench.assert_settled()


def test_rows_without_a_company_are_told_of_where_no_filter_says_so(
    make_bench: MakeBench,
) -> None:
    bench = world(make_bench)
    add(bench, D, None, "Gold")
    bench.load()
    ((record,),) = bench.records().values()
    assert record.problem is not None
    assert record.problem.code == "key-missing"


def test_a_row_that_loses_its_company_leaves_the_filter(make_bench: MakeBench) -> None:
    bench = world(make_bench, "", ', filter: "msdyn_company/cdm_companycode ne null"')
    id = add(bench, D, "USMF", "Gold", msdyn_description="one")
    bench.load()
    bench.dataverse.put("msdyn_loyaltylevels", id, msdyn_company=None, msdyn_description="two")
    bench.sync()
    record = bench.record("gold\x1fusmf")
    assert (record.state, record.problem) == (State.SETTLED, None)
    assert held(bench, C)["usmf", "Gold"]["LevelDescription"] == "one"
    bench.dataverse.put("msdyn_loyaltylevels", id, msdyn_company="id-USMF")
    bench.sync()
    assert held(bench, C)["usmf", "Gold"]["LevelDescription"] == "two"
    bench.assert_settled()


def test_a_company_we_may_not_read_is_no_row_without_a_key(bench: Bench) -> None:
    """Else every row of it would look as if it had lost its company."""
    bench.dataverse.drop("cdm_companies", "id-USRT")
    bronze = "dataverse-USRT-Bronze"
    bench.dataverse.put("msdyn_loyaltylevels", bronze, msdyn_description="edited")
    with pytest.raises(MapError) as refused:
        bench.sync()
    assert refused.value.code == "reference-unreadable"
    assert "id-USRT of cdm_companies" in refused.value.message
    assert bench.record("bronze\x1fusrt").problem is None
    bench.dataverse.put("cdm_companies", "id-USRT", cdm_companycode="USRT")
    bench.sync()
    assert held(bench, C)["usrt", "Bronze"]["LevelDescription"] == "edited"
    bench.assert_settled()


def test_a_company_column_secured_while_a_run_works_empties_nothing(bench: Bench) -> None:
    bronze = "dataverse-USRT-Bronze"
    bench.dataverse.put("msdyn_loyaltylevels", bronze, msdyn_description="edited")

    def secured(run: MapRun) -> object:
        bench.dataverse.unreadable.add("msdyn_company")
        return bench.sync_in(run)

    with pytest.raises(MapError) as refused:
        bench.run(secured)
    assert refused.value.code == "column-forbidden"
    bench.dataverse.unreadable.clear()
    assert bench.record("bronze\x1fusrt").problem is None
    bench.sync()
    assert held(bench, C)["usrt", "Bronze"]["LevelDescription"] == "edited"
    bench.assert_settled()


def test_rows_belong_to_the_default_team_of_their_company(make_bench: MakeBench) -> None:
    bench = owning(make_bench, "{company: default}")
    assert owners(bench) == {"id-USMF": "teams(team-USMF)"}
    record = bench.record("gold\x1fusrt")
    assert record.state is State.PARKED
    assert record.problem is not None
    assert (record.problem.code, "usrt" in record.problem.message) == ("company-without-team", True)
    bench.dataverse.put("cdm_companies", "id-USRT", cdm_defaultowningteam="team-desk")
    for level in ("Gold", "Silver"):  # both sides look at the record again
        bench.commerce.put("LoyaltyLevels", f"commerce-usrt-{level}", LevelDescription="new")
    bench.sync()
    assert owners(bench) == {"id-USMF": "teams(team-USMF)", "id-USRT": "teams(team-desk)"}
    bench.assert_settled()


@pytest.mark.parametrize(
    ("owner", "usmf", "usrt"),
    [
        ("{companies: {USRT: {team: Desk}}, company: default}", "team-USMF", "team-desk"),
        ("{companies: {USMF: {team: Desk}}, team: usmf}", "team-desk", "team-USMF"),
        ("{companies: {usmf: {team: Desk}}}", "team-desk", None),
        ("{team: Desk}", "team-desk", "team-desk"),
    ],
)
def test_companies_may_be_named_with_their_owners(
    make_bench: MakeBench, owner: str, usmf: str, usrt: str | None
) -> None:
    bench = owning(make_bench, owner)
    assert owners(bench) == {
        "id-USMF": f"teams({usmf})",
        "id-USRT": None if usrt is None else f"teams({usrt})",
    }
    bench.assert_settled()


def test_the_default_team_of_a_company_is_asked_for_once(make_bench: MakeBench) -> None:
    asked: list[int] = []
    for levels in (20, 40):
        bench = world(make_bench, "", ", owner: {company: default}")
        bench.dataverse.put("cdm_companies", "id-USMF", cdm_defaultowningteam="team-USMF")
        for n in range(levels):
            add(bench, C, "usmf", f"L{n}")
        bench.load()
        assert owners(bench) == {"id-USMF": "teams(team-USMF)"}
        asked.append(bench.dataverse.calls["read"])
    assert asked[0] == asked[1], "however many rows there are"


def test_a_record_waits_for_its_company_also_where_that_says_who_owns_it(
    make_bench: MakeBench,
) -> None:
    bench = world(make_bench, "", ", owner: {company: default}")
    add(bench, C, "demf", "Gold")
    bench.load()
    assert bench.record("gold\x1fdemf").state is State.WAITING
