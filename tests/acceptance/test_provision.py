"""An organization without the loyalty tables gets them, and is synchronized."""

from __future__ import annotations

import base64
import signal
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from connector.sandbox.run import running
from tests.acceptance.conftest import CARDS, POINTS, Project, make_project, members
from tests.acceptance.living import until
from tests.conftest import PATIENCE
from tests.integration.sandbox.receiver import receiving

if TYPE_CHECKING:
    from tests.conftest import SignIn

EURO = {
    "RewardPointId": "EURO",
    "RewardPointType": "Amount",
    "RewardPointCurrency": "EUR",
    "Redeemable": "Yes",
    "RedeemRanking": 1,
    "ExpirationTimeUnit": "Month",
    "ExpirationTimeValue": 12,
    "VestingTimeUnit": "Day",
    "VestingTimeValue": 3,
    "MaximumLoyaltyRewardPoints": 1000,
}


@pytest.fixture
def bare(tmp_path: Path, sign_in: SignIn, capsys: pytest.CaptureFixture[str]) -> Iterator[Project]:
    """A new project beside an organization that has no loyalty tables."""
    with running(tmp_path / "organization", empty=True) as ready:
        project = make_project(tmp_path / "project", ready, sign_in)
        capsys.readouterr()
        yield project
        project.end()


def definition(project: Project, table: str, path: str = "") -> dict[str, Any]:
    answer = project.agent.get(f"EntityDefinitions(LogicalName='{table}'){path}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


KEYS = "EntityDefinitions(LogicalName='msdyn_loyaltycard')/Keys"


def declared_table() -> dict[str, Any]:
    """A table of loyalty cards as somebody made it by hand, with a primary column only."""
    label = {"LocalizedLabels": [{"Label": "Loyalty card", "LanguageCode": 1033}]}
    return {
        "@odata.type": "Microsoft.Dynamics.CRM.EntityMetadata",
        "SchemaName": "msdyn_loyaltycard",
        "DisplayName": label,
        "DisplayCollectionName": label,
        "OwnershipType": "UserOwned",
        "HasActivities": False,
        "HasNotes": False,
        "Attributes": [
            {
                "@odata.type": "Microsoft.Dynamics.CRM.StringAttributeMetadata",
                "SchemaName": "msdyn_name",
                "IsPrimaryName": True,
                "MaxLength": 100,
                "DisplayName": label,
                "RequiredLevel": {"Value": "None"},
            }
        ],
    }


def tables(project: Project) -> set[str]:
    found = project.agent.get("EntityDefinitions?$select=EntitySetName").json()["value"]
    return {one["EntitySetName"] for one in found}


def test_an_empty_organization_is_provisioned_loaded_and_kept_equal(bare: Project) -> None:
    bare.import_cards(members(40))
    bare.import_points([EURO])

    bare.json("check", code=2)
    planned = bare.json("provision", "--plan")
    assert planned["planned"] is True
    assert not {CARDS, POINTS} & tables(bare), "a plan changes nothing"
    assert not any(step["done"] for step in planned["steps"])

    made = bare.json("provision")
    assert [step["text"] for step in made["steps"]] == [step["text"] for step in planned["steps"]]
    assert all(step["done"] for step in made["steps"])
    assert made["problems"] == []
    assert {CARDS, POINTS} <= tables(bare)
    assert definition(bare, "msdyn_loyaltycard")["ChangeTrackingEnabled"] is True
    (key,) = definition(bare, "msdyn_loyaltycard", "/Keys")["value"]
    assert (key["KeyAttributes"], key["EntityKeyIndexStatus"]) == (["msdyn_cardnumber"], "Active")

    bare.forget_requests()
    assert bare.json("provision")["steps"] == []
    assert bare.written() == {}, "nothing is made twice"

    checked = bare.json("check")
    assert checked["problems"] == []
    bare.json("load")
    bare.edit("M100001", msdyn_cardtendertype=806380003)
    bare.json("sync")
    assert bare.ledger("M100001")["CardTenderType"] == "Blocked"
    assert bare.verified()["compared"] == 41


def test_a_table_that_is_there_is_completed_and_nothing_of_it_changed(bare: Project) -> None:
    bare.json("provision", "--map", "loyalty-card")
    removed = bare.connector.delete(
        "EntityDefinitions(LogicalName='msdyn_loyaltycard')/Attributes(LogicalName='msdyn_partynumber')"
    )
    assert removed.status_code == 204, removed.text
    before = definition(bare, "msdyn_loyaltycard", "/Attributes")["value"]
    made = bare.json("provision", "--map", "loyalty-card")
    assert [(step["kind"], step["column"]) for step in made["steps"]] == [
        ("column", "msdyn_partynumber")
    ]
    after = definition(bare, "msdyn_loyaltycard", "/Attributes")["value"]
    kept = [one for one in after if one["LogicalName"] != "msdyn_partynumber"]
    assert sorted(kept, key=str) == sorted(before, key=str)


def test_a_column_of_another_type_is_an_error_and_left_alone(bare: Project) -> None:
    path = bare.folder / "mappings" / "tables" / "msdyn_loyaltycards.yaml"
    as_shipped = path.read_text("utf-8")
    as_text = "{column: msdyn_EffectiveDate, title: Effective date, type: text}"
    path.write_text(
        as_shipped.replace(
            "{column: msdyn_EffectiveDate, title: Effective date, type: date}", as_text
        ),
        "utf-8",
    )
    bare.json("provision", "--map", "loyalty-card")
    path.write_text(as_shipped, "utf-8")
    result = bare.json("provision", "--map", "loyalty-card", code=2)
    (problem,) = result["problems"]
    assert problem["code"] == "column-differs"
    assert problem["subject"]["field"] == "msdyn_effectivedate"
    assert result["steps"] == []


def test_a_killed_run_goes_on_where_it_stopped(bare: Project) -> None:
    process = bare.start("provision")
    until("the first table", lambda: CARDS in tables(bare))
    process.send_signal(signal.SIGKILL)
    process.wait(PATIENCE)
    rest = bare.json("provision")
    assert rest["problems"] == []
    assert "create table msdyn_loyaltycard " not in str(rest["steps"])
    assert bare.json("provision")["steps"] == []
    assert bare.json("check")["problems"] == []


def test_twins_keep_the_key_from_being_built_until_one_is_gone(bare: Project) -> None:
    bare.json("provision", "--map", "loyalty-card")
    bare.connector.delete(f"{KEYS}(LogicalName='msdyn_loyaltycard_key')")
    for _ in range(2):
        answer = bare.agent.post(CARDS, json={"msdyn_cardnumber": "Twin"})
        assert answer.status_code == 204, answer.text
    for kinds in (["key", "index"], ["retry", "index"]):
        result = bare.json("provision", "--map", "loyalty-card", code=2)
        assert [step["kind"] for step in result["steps"]] == kinds
        assert [one["code"] for one in result["problems"]] == ["alternate-key-failed"]
    codes = {one["code"] for one in bare.json("check", code=2)["problems"]}
    assert "alternate-key-failed" in codes
    bare.agent.delete(f"{CARDS}({bare.rows()[0]['msdyn_loyaltycardid']})")
    assert bare.json("provision", "--map", "loyalty-card")["problems"] == []
    assert "alternate-key-failed" not in str(bare.call("check", "--json", code=2).json)


def test_a_table_without_change_tracking_is_found_and_mended(bare: Project) -> None:
    made = bare.connector.post(
        "EntityDefinitions", json={**declared_table(), "ChangeTrackingEnabled": False}
    )
    assert made.status_code == 204, made.text
    problems = {one["code"]: one for one in bare.json("check", code=2)["problems"]}
    assert problems["change-tracking-off"]["subject"]["map"] == "loyalty-card"
    assert "dualwrite provision" in problems["change-tracking-off"]["remedy"]
    result = bare.json("provision", "--map", "loyalty-card")
    assert "tracking" in {step["kind"] for step in result["steps"]}
    assert definition(bare, "msdyn_loyaltycard")["ChangeTrackingEnabled"] is True
    assert bare.json("provision", "--map", "loyalty-card")["steps"] == []


def test_a_choice_is_completed(bare: Project) -> None:
    bare.json("provision", "--map", "loyalty-card")
    path = bare.folder / "mappings" / "tables" / "msdyn_loyaltycards.yaml"
    text = path.read_text("utf-8")
    more = "      Blocked: 806380003\n      Lost: 806380004\n"
    path.write_text(text.replace("      Blocked: 806380003\n", more), "utf-8")
    (step,) = bare.json("provision", "--map", "loyalty-card")["steps"]
    assert (step["kind"], step["column"]) == ("option", "msdyn_cardtendertype")
    assert bare.json("provision", "--map", "loyalty-card")["steps"] == []
    answer = bare.agent.post(
        CARDS, json={"msdyn_cardnumber": "L1", "msdyn_cardtendertype": 806380004}
    )
    assert answer.status_code == 204, answer.text


@pytest.mark.parametrize("kind", ["html", "cut", "drop", "lost-reply"])
def test_whatever_happens_to_a_step_the_next_run_completes_it(bare: Project, kind: str) -> None:
    """Every third change of a definition meets it; no table, column or key is made twice."""
    fault = {"kind": kind, "method": "POST", "path": "/api/data/", "every": 3, "count": 4}
    bare.fault(**fault)
    for _ in range(6):
        result = bare.call("provision", "--json", code=None)
        assert result.code in (0, 4), result
        if result.code == 0:
            break
        assert result.error["remedy"]
    assert bare.json("provision")["steps"] == []
    assert [p for p in bare.json("check")["problems"] if p["severity"] == "error"] == []


# ---------------------------------------------------------------------------- webhooks

KEYED = {"DUALWRITE__SERVE__WEBHOOK_KEY": "env:TEST_KEY", "TEST_KEY": "s3cret-key"}


def steps_of(project: Project) -> dict[str, str | None]:
    """Registered steps by name, with the columns that filter them."""
    found = project.connector.get("sdkmessageprocessingsteps").json()["value"]
    return {one["name"]: one["filteringattributes"] for one in found}


def test_notices_are_registered_sent_refined_and_ended(project: Project) -> None:
    project.environment.update(KEYED)
    with receiving() as receiver:
        planned = project.json("provision", "--webhooks", receiver.url, "--plan")
        assert len(planned["webhooks"]) == 6
        assert steps_of(project) == {}

        made = project.json("provision", "--webhooks", receiver.url)
        assert all(step["done"] for step in made["webhooks"])
        assert "s3cret-key" not in str(made)
        told = steps_of(project)
        assert len(told) == 6
        columns = str(told["dualwrite: Update of msdyn_loyaltycard"]).split(",")
        assert "msdyn_cardtendertype" in columns
        assert "createdon" not in columns

        project.agent.post(CARDS, json={"msdyn_cardnumber": "N1"})
        (got,) = receiver.wait(1)
        assert got.headers["x-dualwrite-key"] == "s3cret-key"
        assert got.context["MessageName"] == "Create"

        assert project.json("provision", "--webhooks", receiver.url)["webhooks"] == []
        path = project.folder / "mappings" / "loyalty-card.yaml"
        text = path.read_text("utf-8")
        path.write_text(
            "".join(line for line in text.splitlines(True) if "msdyn_partynumber" not in line),
            "utf-8",
        )
        again = project.json("provision", "--webhooks", receiver.url)
        assert [(one["kind"], one["message"]) for one in again["webhooks"]] == [
            ("refine", "Update")
        ]

        only = project.json("provision", "--map", "loyalty-card", "--webhooks", "off")
        assert {one["table"] for one in only["webhooks"]} == {"msdyn_loyaltycard"}
        assert len(steps_of(project)) == 3
        assert len(project.json("provision", "--webhooks", "off")["webhooks"]) == 3
        assert steps_of(project) == {}
        assert project.connector.get("serviceendpoints").json()["value"] == []
        assert project.json("provision", "--webhooks", "off")["webhooks"] == []


@pytest.mark.parametrize(
    ("address", "environment", "code"),
    [
        ("http://host.example/hook", KEYED, "webhook-url-invalid"),
        ("soon", KEYED, "webhook-url-invalid"),
        ("https://host.example", {}, "webhook-key-missing"),
    ],
)
def test_notices_need_an_address_and_a_key(
    project: Project, address: str, environment: dict[str, str], code: str
) -> None:
    project.environment.update(environment)
    result = project.call("provision", "--webhooks", address, "--json", code=2)
    assert result.error["code"] == code
    assert steps_of(project) == {}


# ---------------------------------------------------------------------------- solution file


def test_a_solution_file_makes_nothing_and_holds_what_is_missing(bare: Project) -> None:
    result = bare.json("provision", "--solution", "tables.zip")
    assert (result["planned"], result["solution"]) == (True, "tables.zip")
    assert not {CARDS, POINTS} & tables(bare)
    with zipfile.ZipFile(bare.folder / "tables.zip") as file:
        text = file.read("customizations.xml").decode()
    for name in ("msdyn_CardNumber", "msdyn_RewardPointCurrency", "msdyn_LoyaltyCard_Key"):
        assert name in text
    bare.json("provision")
    assert bare.json("provision", "--solution", "none.zip")["solution"] is None
    assert not (bare.folder / "none.zip").exists()


def imported(project: Project, name: str) -> None:
    """An administrator imports the file and publishes."""
    content = base64.b64encode((project.folder / name).read_bytes()).decode()
    order = {
        "OverwriteUnmanagedCustomizations": False,
        "PublishWorkflows": False,
        "CustomizationFile": content,
        "ImportJobId": str(uuid4()),
    }
    answer = project.connector.post("ImportSolution", json=order)
    assert answer.status_code == 204, answer.text
    assert project.connector.post("PublishAllXml", json={}).status_code == 204


def test_what_an_administrator_imports_is_what_provision_would_have_made(bare: Project) -> None:
    bare.import_cards(members(5))
    bare.import_points([EURO])
    bare.json("provision", "--solution", "tables.zip")
    imported(bare, "tables.zip")
    rest = bare.json("provision")
    assert {step["kind"] for step in rest["steps"]} <= {"index"}, "but for waiting, nothing is left"
    assert bare.json("check")["problems"] == []
    bare.json("load")
    bare.edit("M100001", msdyn_cardtendertype=806380003)
    bare.json("sync")
    assert bare.verified()["compared"] == 6


def test_importing_a_completion_changes_nothing_that_is_there(bare: Project) -> None:
    bare.json("provision", "--map", "loyalty-card")
    path = "EntityDefinitions(LogicalName='msdyn_loyaltycard')/Attributes"
    removed = bare.connector.delete(f"{path}(LogicalName='msdyn_partynumber')")
    assert removed.status_code == 204
    before = definition(bare, "msdyn_loyaltycard", "/Attributes")["value"]
    bare.json("provision", "--map", "loyalty-card", "--solution", "more.zip")
    imported(bare, "more.zip")
    after = definition(bare, "msdyn_loyaltycard", "/Attributes")["value"]
    kept = [one for one in after if one["LogicalName"] != "msdyn_partynumber"]
    assert sorted(kept, key=str) == sorted(before, key=str)
    assert bare.json("provision", "--map", "loyalty-card")["steps"] == []


def test_a_solution_file_needs_a_place_and_stands_alone(bare: Project) -> None:
    nowhere = bare.call("provision", "--solution", "no/such/folder/x.zip", "--json", code=2)
    assert nowhere.error["code"] == "solution-unwritable"
    both = bare.call("provision", "--solution", "x.zip", "--webhooks", "off", "--json", code=2)
    assert both.error["code"] == "solution-and-webhooks"
