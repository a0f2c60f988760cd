"""Tables that change under a map that runs: told by `check`, and never taken for cleared values."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from connector.sandbox.run import running
from tests.acceptance.conftest import Project, make_project, members

if TYPE_CHECKING:
    from tests.conftest import SignIn

ATTRIBUTES = "EntityDefinitions(LogicalName='msdyn_loyaltycard')/Attributes"
PARTY = f"{ATTRIBUTES}(LogicalName='msdyn_partynumber')"


@pytest.fixture
def project(
    tmp_path: Path, sign_in: SignIn, capsys: pytest.CaptureFixture[str]
) -> Iterator[Project]:
    """Ten cards on both sides, whose columns were made by `provision`."""
    with running(tmp_path / "organization", empty=True) as ready:
        project = make_project(tmp_path / "project", ready, sign_in)
        capsys.readouterr()
        project.json("provision", "--map", "loyalty-card")
        project.import_cards(dict(one, PartyNumber=f"P{n}") for n, one in enumerate(members(10)))
        project.json("load", "--map", "loyalty-card")
        yield project
        project.end()


def call(project: Project, command: str, code: int) -> dict[str, Any]:
    return project.json(command, "--map", "loyalty-card", code=code)


def column_problems(project: Project, *options: str, code: int) -> list[dict[str, Any]]:
    found = project.json("check", *options, code=code)["problems"]
    mine = [one for one in found if one["subject"].get("map") == "loyalty-card"]
    return [one for one in mine if one["code"].startswith("column-")]


def test_a_column_deleted_and_provisioned_anew_is_filled_and_clears_nothing(
    project: Project,
) -> None:
    assert project.connector.delete(PARTY).status_code == 204
    told = column_problems(project, code=2)
    assert {one["code"] for one in told} == {"column-unknown", "column-removed"}
    missing = call(project, "sync", 2)["maps"][0]["error"]
    assert missing["code"] == "column-unknown"
    assert "take the row out of the map" in missing["remedy"], "no column of a like name"

    project.json("provision", "--map", "loyalty-card")
    project.edit("M100001", msdyn_cardtendertype=806380003)
    (told_again,) = column_problems(project, code=2)
    assert told_again["code"] == "column-recreated"
    assert told_again["subject"]["file"] == "mappings/loyalty-card.yaml"
    assert call(project, "plan", 3)["maps"][0]["error"]["code"] == "column-recreated"
    error = call(project, "sync", 3)["maps"][0]["error"]
    assert error["code"] == "column-recreated"
    assert "dualwrite maps resume loyalty-card" in error["remedy"]
    assert call(project, "sync", 3)["maps"][0]["counts"] == {}
    (status,) = [one for one in project.json("status", code=3)["maps"] if one["state"] != "new"]
    assert (status["state"], status["problem"]["code"]) == ("stopped", "column-recreated")

    project.json("maps", "resume", "loyalty-card")
    done = call(project, "sync", 0)["maps"][0]
    assert done["counts"]["updated_dataverse"] == 10
    assert project.ledger("M100001")["PartyNumber"] == "P1"
    assert project.ledger("M100001")["CardTenderType"] == "Blocked"
    assert {row["msdyn_partynumber"] for row in project.rows()} == {f"P{n}" for n in range(10)}
    assert call(project, "verify", 0)["equal"] is True
    assert column_problems(project, code=2) == [], "the reward points have no table"


def test_what_the_map_does_not_use_is_a_note_and_stops_nothing(project: Project) -> None:
    label = {"LocalizedLabels": [{"Label": "Remark", "LanguageCode": 1033}]}
    column = {
        "@odata.type": "Microsoft.Dynamics.CRM.StringAttributeMetadata",
        "SchemaName": "new_Remark",
        "MaxLength": 100,
        "FormatName": {"Value": "Text"},
        "RequiredLevel": {"Value": "None"},
        "DisplayName": label,
    }
    assert project.connector.post(ATTRIBUTES, json=column).status_code == 204
    notes = column_problems(project, "--notes", code=2)
    (note,) = [one for one in notes if one["code"] == "column-added"]
    assert (note["severity"], note["subject"]["side"]) == ("note", "dataverse")
    assert "`new_remark`" in note["message"]
    assert call(project, "sync", 0)["maps"][0]["counts"]["table_changes"] == 1
    assert [
        one for one in column_problems(project, "--notes", code=2) if one["code"] == "column-added"
    ] == []
    assert "table_changes" not in call(project, "sync", 0)["maps"][0]["counts"]
