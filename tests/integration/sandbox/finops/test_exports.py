"""Exporting packages: what is in them, how a run goes, what can be wrong."""

from __future__ import annotations

import csv
import io
import time
import zipfile
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
import requests
from lxml import etree

from tests.integration.sandbox.finops.conftest import CARDS, Act, Add

if TYPE_CHECKING:
    from tests.conftest import FinopsSession

NAMESPACE = "{http://schemas.microsoft.com/dynamics/2015/01/DataManagement}"
CARD_FILE = "Loyalty card.csv"
Export = Callable[[], dict[str, str]]


@pytest.fixture
def project(finops: FinopsSession) -> Callable[..., None]:
    """Makes the project `loyalty`, with change tracking on cards."""

    def make(mode: str | None = "primary", **changes: Any) -> None:
        finops.switch("tracking", {"entity": CARDS, "mode": mode})
        finops.switch("projects", {"name": "loyalty", "entities": [CARDS], **changes})

    return make


def numbers(files: dict[str, str]) -> list[str]:
    return [one["CARDNUMBER"] for one in csv.DictReader(io.StringIO(files[CARD_FILE], newline=""))]


def test_a_package_has_files_a_manifest_and_a_header(
    add: Add, project: Callable[..., None], export: Export
) -> None:
    add(
        "55001",
        PartyNumber="P000000001",
        LoyaltyEnrollmentDate="2026-01-02T12:00:00Z",
        LoyaltyEnrollmentTime=7,
        LoyaltyEnrollmentDateLocal="1900-01-01T12:00:00Z",
        LoyaltyEnrollmentTimeLocal=0,
    )
    project()
    files = export()
    assert set(files) == {CARD_FILE, "Manifest.xml", "PackageHeader.xml"}
    assert files[CARD_FILE] == (
        "CARDNUMBER,CARDTENDERTYPE,PARTYNUMBER,REPLACEMENTCARDNUMBER,OMOPERATINGUNITNUMBER,"
        "LOYALTYENROLLMENTDATE,LOYALTYENROLLMENTTIME,LOYALTYENROLLMENTDATELOCAL,"
        "LOYALTYENROLLMENTTIMELOCAL\r\n"
        "55001,AsCardTender,P000000001,,,2026-01-02 00:00:00,7,1900-01-01 00:00:00,0\r\n"
    )
    root = etree.fromstring(files["Manifest.xml"].encode("utf-16"))
    assert root.findtext(f"{NAMESPACE}DefinitionGroupName") == "loyalty"
    (entity,) = root.iter(f"{NAMESPACE}DataManagementPackageEntityData")
    assert entity.findtext(f"{NAMESPACE}EntityName") == "Loyalty card"
    assert entity.findtext(f"{NAMESPACE}TargetEntity") == "RetailLoyaltyCardEntity"
    assert entity.findtext(f"{NAMESPACE}InputFilePath") == CARD_FILE
    mapped = [one.text for one in entity.iter(f"{NAMESPACE}EntityField")]
    assert mapped[:2] == ["CARDNUMBER", "CARDTENDERTYPE"]
    assert "<PackageType>DefinitionGroup</PackageType>" in files["PackageHeader.xml"]


def test_only_what_changed_since_the_last_run(
    finops: FinopsSession, add: Add, project: Callable[..., None], export: Export
) -> None:
    add("1", "2", "3")
    project()
    assert numbers(export()) == ["1", "2", "3"]
    assert numbers(export()) == []
    finops.patch(f"{CARDS}('2')", json={"CardTenderType": "Blocked"})
    add("4")
    finops.delete(f"{CARDS}('3')")
    assert numbers(export()) == ["2", "4"]


@pytest.mark.parametrize(("mode", "refresh"), [(None, "IncrementalPush"), ("primary", "FullPush")])
def test_without_tracking_or_as_a_full_push_all_rows(
    add: Add, project: Callable[..., None], export: Export, mode: str | None, refresh: str
) -> None:
    add("1", "2")
    project(mode, refresh=refresh)
    assert [numbers(export()) for _ in range(2)] == [["1", "2"], ["1", "2"]]


@pytest.mark.parametrize(("mode", "again"), [("primary", []), ("entire", ["1"])])
def test_a_change_of_a_joined_row_counts_for_the_entire_entity(
    finops: FinopsSession,
    add: Add,
    project: Callable[..., None],
    export: Export,
    mode: str,
    again: list[str],
) -> None:
    add("1", PartyNumber="P000000001")
    add("2")
    project(mode)
    export()
    finops.patch("CDSParties('P000000001')", json={"KnownAs": "K"})
    assert numbers(export()) == again


def test_switching_tracking_off_and_on_begins_anew(
    finops: FinopsSession, add: Add, project: Callable[..., None], export: Export
) -> None:
    add("1")
    project()
    export()
    for mode in (None, "primary"):
        finops.switch("tracking", {"entity": CARDS, "mode": mode})
    assert numbers(export()) == ["1"]


def test_texts_with_everything_in_them(
    finops: FinopsSession, export: Export, project: Callable[..., None]
) -> None:
    name = 'a "b", c\r\nd <e> & ü'
    finops.patch("CDSParties('P000000001')", json={"KnownAs": name})
    project(entities=["CDSParties"])
    (row, *_) = csv.DictReader(io.StringIO(export()["CDS Parties.csv"], newline=""))
    assert row["KNOWNAS"] == name


def test_xml_and_wide_text(add: Add, project: Callable[..., None], export: Export) -> None:
    add("a<1>&ü")
    project(format="XML-Element")
    text = export()["Loyalty card.xml"]
    root = etree.fromstring(text.encode())
    assert (root.tag, root[0].tag) == ("Document", "RETAILLOYALTYCARDENTITY")
    assert root[0].findtext("CARDNUMBER") == "a<1>&ü"
    project(format="CSV-Unicode")
    assert numbers(export()) == ["a<1>&ü"]


def test_a_company_at_a_time_and_without_its_column(
    finops: FinopsSession, act: Act, anonymous: requests.Session
) -> None:
    finops.switch("projects", {"name": "p", "entities": ["CustomerGroups"]})
    finops.post("CustomerGroups", json={"dataAreaId": "usmf", "CustomerGroupId": "99"})
    counts = []
    for company in ("usmf", "USRT", "dat"):
        run = act("ExportToPackage", definitionGroupId="p", legalEntityId=company)
        address = act("GetExportedPackageUrl", executionId=run)
        with zipfile.ZipFile(io.BytesIO(anonymous.get(address, timeout=10).content)) as package:
            lines = package.read("Customer groups.csv").decode("utf-8-sig").splitlines()
        assert "DATAAREAID" not in lines[0]
        counts.append(len(lines) - 1)
    assert counts == [3, 2, 0]


# ---------------------------------------------------------------------------- runs


def test_a_run_takes_its_time(
    finops: FinopsSession, act: Act, project: Callable[..., None]
) -> None:
    project()
    finops.switch("runs", {"seconds": 30})
    run = act("ExportToPackage", definitionGroupId="loyalty")
    assert act("GetExecutionSummaryStatus", executionId=run) == "NotRun"
    early = finops.post(
        "DataManagementDefinitionGroups/Microsoft.Dynamics.DataEntities.GetExportedPackageUrl",
        json={"executionId": run},
    )
    assert early.status_code == 400
    second = finops.post(
        "DataManagementDefinitionGroups/Microsoft.Dynamics.DataEntities.ExportToPackage",
        json={"definitionGroupId": "loyalty"},
    )
    assert (second.status_code, "in progress" in second.text) == (400, True)
    finops.switch("clock", {"seconds": 15})
    assert act("GetExecutionSummaryStatus", executionId=run) == "Executing"
    finops.switch("clock", {"seconds": 31})
    assert act("GetExecutionSummaryStatus", executionId=run) == "Succeeded"
    assert act("GetExecutionErrors", executionId=run) == "[]"


@pytest.mark.parametrize("outcome", ["Failed", "Canceled"])
def test_a_run_that_failed_leaves_the_project_where_it_was(
    finops: FinopsSession,
    add: Add,
    act: Act,
    project: Callable[..., None],
    export: Export,
    outcome: str,
) -> None:
    add("1")
    project()
    finops.switch("runs", {"count": 1, "outcome": outcome, "errors": ["Out of disk."]})
    run = act("ExportToPackage", definitionGroupId="loyalty")
    assert act("GetExecutionSummaryStatus", executionId=run) == outcome
    assert "Out of disk." in act("GetExecutionErrors", executionId=run)
    assert numbers(export()) == ["1"]


def test_a_run_that_failed_in_part_gives_the_rest_next_time(
    finops: FinopsSession, add: Add, act: Act, project: Callable[..., None], export: Export
) -> None:
    add("1")
    project()
    finops.switch("runs", {"count": 1, "outcome": "PartiallySucceeded"})
    run = act("ExportToPackage", definitionGroupId="loyalty")
    assert act("GetExecutionSummaryStatus", executionId=run) == "PartiallySucceeded"
    assert act("GetExportedPackageUrl", executionId=run)
    assert numbers(export()) == ["1"]


@pytest.mark.parametrize("spoil", ["truncated", "unknown-entity", "missing-file", "no-manifest"])
def test_packages_can_be_wrong(
    finops: FinopsSession,
    act: Act,
    project: Callable[..., None],
    anonymous: requests.Session,
    spoil: str,
) -> None:
    project()
    finops.switch("runs", {"count": 1, "spoil": spoil})
    run = act("ExportToPackage", definitionGroupId="loyalty")
    address = act("GetExportedPackageUrl", executionId=run)
    content = io.BytesIO(anonymous.get(address, timeout=10).content)
    if spoil == "truncated":
        with pytest.raises(zipfile.BadZipFile):
            zipfile.ZipFile(content)
        return
    with zipfile.ZipFile(content) as package:
        names = package.namelist()
        assert ("Manifest.xml" in names) == (spoil != "no-manifest")
        assert (CARD_FILE in names) == (spoil != "missing-file")
        if spoil == "unknown-entity":
            assert "UnheardOfEntity" in package.read("Manifest.xml").decode("utf-16")


@pytest.mark.parametrize(
    ("name", "body", "text"),
    [
        ("ExportToPackage", {"definitionGroupId": "no"}, "data project 'no' was not found"),
        ("GetExecutionSummaryStatus", {"executionId": "no"}, "execution 'no' was not found"),
        ("GetExportedPackageUrl", {"executionId": "no"}, "execution 'no' was not found"),
        ("ExportToPackage", {"definitionGroup": "no"}, "is not part of the action"),
        ("ExportToPackage", {"reExecute": "false"}, "is not of type 'Edm.Boolean'"),
    ],
)
def test_what_an_action_refuses(
    finops: FinopsSession, name: str, body: dict[str, Any], text: str
) -> None:
    answer = finops.post(
        f"DataManagementDefinitionGroups/Microsoft.Dynamics.DataEntities.{name}", json=body
    )
    assert (answer.status_code, text in answer.text) == (400, True)


def test_actions_have_a_qualified_name_and_are_posted(finops: FinopsSession) -> None:
    root = "DataManagementDefinitionGroups"
    assert finops.post(f"{root}/ExportToPackage", json={}).status_code == 404
    qualified = f"{root}/Microsoft.Dynamics.DataEntities"
    assert finops.post(f"{qualified}.Nothing", json={}).status_code == 404
    assert finops.get(f"{qualified}.ExportToPackage").status_code == 405


def test_projects_are_listed(finops: FinopsSession, project: Callable[..., None]) -> None:
    project()
    listed = finops.get("DataManagementDefinitionGroups").json()["value"]
    assert [one["Name"] for one in listed] == ["loyalty"]


def test_an_execution_has_an_id_of_ones_own_once(
    finops: FinopsSession, act: Act, project: Callable[..., None]
) -> None:
    project()
    assert act("ExportToPackage", definitionGroupId="loyalty", executionId="mine") == "mine"
    again = {"definitionGroupId": "loyalty", "executionId": "mine"}
    refused = finops.post(
        "DataManagementDefinitionGroups/Microsoft.Dynamics.DataEntities.ExportToPackage",
        json=again,
    )
    assert refused.status_code == 400
    assert act("ExportToPackage", **again, reExecute=True) == "mine"


def test_the_other_shapes_of_answers(
    finops: FinopsSession, act: Act, project: Callable[..., None]
) -> None:
    project()
    finops.switch("runs", {"nested": True, "plain_http": True})
    run = act("ExportToPackage", definitionGroupId="loyalty")
    assert list(run) == ["value"]
    address = act("GetExportedPackageUrl", executionId=run["value"])["value"]
    assert address.startswith("http://127.0.0.1:")


# ---------------------------------------------------------------------------- files


def test_a_file_takes_a_signature_and_no_token(
    finops: FinopsSession, act: Act, project: Callable[..., None], anonymous: requests.Session
) -> None:
    project()
    run = act("ExportToPackage", definitionGroupId="loyalty")
    address = act("GetExportedPackageUrl", executionId=run)
    assert finops.get(address).status_code == 403
    good = anonymous.get(address, timeout=10)
    assert (good.status_code, good.content[:2]) == (200, b"PK")
    wrong = anonymous.get(address.replace("sig=", "sig=0"), timeout=10)
    assert (wrong.status_code, wrong.headers["x-ms-error-code"]) == (403, "AuthenticationFailed")
    assert anonymous.get(address.partition("?")[0], timeout=10).status_code == 403
    put = anonymous.put(address, data=b"x", headers={"x-ms-blob-type": "BlockBlob"}, timeout=10)
    assert put.status_code == 403
    finops.switch("clock", {"seconds": 3601})
    assert anonymous.get(address, timeout=10).status_code == 403


def test_a_download_can_be_cut(
    finops: FinopsSession, act: Act, project: Callable[..., None], anonymous: requests.Session
) -> None:
    project()
    run = act("ExportToPackage", definitionGroupId="loyalty")
    address = act("GetExportedPackageUrl", executionId=run)
    finops.switch("faults", {"kind": "cut", "path": "blobs"})
    with pytest.raises(requests.RequestException):
        anonymous.get(address, timeout=10)
    assert anonymous.get(address, timeout=10).status_code == 200


def test_20_000_rows_leave_in_a_few_seconds(
    finops: FinopsSession, act: Act, project: Callable[..., None]
) -> None:
    """Not a measure: a bound that a slip from linear to worse would break."""
    finops.switch("samples", {"cards": 20_000})
    project()
    began = time.monotonic()
    act("ExportToPackage", definitionGroupId="loyalty")
    assert time.monotonic() - began < 60
