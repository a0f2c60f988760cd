"""`dualwrite check` as an admin sees it: what it finds in maps that run, and between them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.acceptance.conftest import Project

MAP = "mappings/loyalty-card.yaml"
POINTS = "mappings/loyalty-reward-points.yaml"


def change(project: Project, file: str, old: str, new: str) -> None:
    path = project.folder / file
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")


def problems(project: Project, *options: str, code: int = 0) -> list[dict[str, Any]]:
    report = project.json("check", *options, code=code)
    assert report["ok"] is (code == 0)
    return list(report["problems"])


def test_notes_are_told_when_asked_for(project: Project) -> None:
    plain = project.call("check")
    (count,) = re.findall(
        r"both sides: all well; (\d+) notes \(`dualwrite check --notes`\)", plain.stdout
    )
    report = project.json("check", "--notes")
    assert len(report["problems"]) == report["notes"] == int(count)
    assert {problem["severity"] for problem in report["problems"]} == {"note"}
    narrow = next(p for p in report["problems"] if p["subject"]["field"] == "OmOperatingUnitNumber")
    assert narrow["code"] == "length-narrower"
    assert narrow["subject"]["file"] == MAP
    assert "8" in narrow["message"]


def test_a_choice_left_out_of_the_values_is_a_warning(project: Project) -> None:
    change(project, MAP, "      Blocked: 806380003\n", "")
    found = problems(project)
    assert [problem["code"] for problem in found] == ["choice-unmapped", "choice-unmapped"]
    assert "806380003" in found[0]["message"]
    assert "Blocked of `CardTenderType`" in found[1]["message"]


def test_a_table_that_is_not_there_is_told_with_its_place(project: Project) -> None:
    change(project, MAP, "{entity: msdyn_loyaltycards}", "{entity: msdyn_loyaltycard}")
    found = problems(project, code=2)
    (problem,) = [one for one in found if one["code"] == "entity-unknown"]
    assert (problem["subject"]["map"], problem["subject"]["file"]) == ("loyalty-card", MAP)
    assert problem["subject"]["line"]
    assert "did you mean `msdyn_loyaltycards`?" in problem["remedy"]
    change(project, MAP, "{entity: msdyn_loyaltycard}", "{entity: msdyn_loyaltycards}")
    change(project, MAP, "{entity: RetailLoyaltyCards}", "{entity: Loyalty card}")
    (label,) = [one for one in problems(project, code=2) if one["code"] == "entity-unknown"]
    assert "did you mean `RetailLoyaltyCards`?" in label["remedy"]


def test_a_filter_nothing_passes(project: Project) -> None:
    filter = '{entity: msdyn_loyaltycards, filter: "statecode eq 0 and statecode eq 1"}'
    change(project, MAP, "{entity: msdyn_loyaltycards}", filter)
    (problem,) = problems(project)
    assert problem["code"] == "filter-nothing-passes"


def test_two_maps_that_write_one_column_are_an_error(project: Project) -> None:
    text = (project.folder / POINTS).read_text("utf-8")
    copy = project.folder / "mappings/points-again.yaml"
    copy.write_text(text.replace("map: loyalty-reward-points", "map: points-again"), "utf-8")
    found = problems(project, code=2)
    assert {problem["code"] for problem in found} == {"column-two-maps"}
    assert all(problem["dual_write"] == ["DIPV1029"] for problem in found)
    people = project.call("check", code=2).stdout
    assert "error column-two-maps DIPV1029: mappings/points-again.yaml:" in people


def test_no_table_is_described_twice(project: Project) -> None:
    project.forget_requests()
    project.json("check")
    described = project.connector.counts()["GET EntityDefinitions()/ManyToOneRelationships"]
    assert described == 6, "cards, points and currencies: for the maps, and for the rights"
