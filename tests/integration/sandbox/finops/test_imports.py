"""Importing packages."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import pytest
import requests

from connector.sandbox.finops.catalog import BY_SET
from connector.sandbox.finops.packages import pack
from connector.sandbox.finops.projects import Format, Project, Refresh
from tests.integration.sandbox.finops.conftest import CARDS, Act, Add

if TYPE_CHECKING:
    from tests.conftest import FinopsSession

Upload = Callable[..., str]
CARD_FILE = "Loyalty card"


def package(content: str, kind: Format = Format.CSV, entity: str = CARDS) -> bytes:
    one = BY_SET[entity]
    project = Project("in", (entity,), kind)
    return pack(project, [(one, one.listed, content.encode())], Refresh.FULL)


def changed(content: bytes, files: Mapping[str, bytes | None]) -> bytes:
    """A package with some files exchanged, or left out."""
    packed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(packed, "w") as new:
        for name in old.namelist():
            data = files.get(name, old.read(name))
            if data is not None:
                new.writestr(name, data)
    return packed.getvalue()


@pytest.fixture
def upload(act: Act, anonymous: requests.Session) -> Upload:
    """Uploads and imports a package; the execution id."""

    def run(content: bytes, **more: Any) -> str:
        place = json.loads(act("GetAzureWriteUrl", uniqueFileName="cards.zip"))
        assert place["BlobId"][0] + place["BlobId"][-1] == "{}"
        put = anonymous.put(
            place["BlobUrl"], data=content, headers={"x-ms-blob-type": "BlockBlob"}, timeout=10
        )
        assert put.status_code == 201
        execution: str = act(
            "ImportFromPackage",
            packageUrl=place["BlobUrl"],
            definitionGroupId="in",
            execute=True,
            overwrite=False,
            **more,
        )
        return execution

    return run


def test_rows_are_made_and_changed(
    finops: FinopsSession, add: Add, act: Act, upload: Upload
) -> None:
    add("1", PartyNumber="P000000001")
    text = (
        "CARDNUMBER,CARDTENDERTYPE,LOYALTYENROLLMENTDATE,LOYALTYENROLLMENTTIME\r\n"
        '1,Blocked,2026-01-02 00:00:00,5\r\n"a, ""b""",NoTender,1900-01-01 00:00:00,0\r\n'
    )
    run = upload(package(text))
    assert act("GetExecutionSummaryStatus", executionId=run) == "Succeeded"
    one, other = finops.get(CARDS).json()["value"]
    assert (one["CardTenderType"], one["PartyNumber"]) == ("Blocked", "P000000001")
    assert one["LoyaltyEnrollmentDate"] == "2026-01-02T12:00:00Z"
    assert other["CardNumber"] == 'a, "b"'


def test_what_was_exported_can_be_imported(
    finops: FinopsSession, add: Add, act: Act, upload: Upload, anonymous: requests.Session
) -> None:
    add("1", "ü<2>", PartyNumber="P000000001")
    before = finops.get(CARDS).json()["value"]
    for kind in Format:
        project = {"name": "loyalty", "entities": [CARDS], "format": kind.value}
        finops.switch("projects", project)
        run = act("ExportToPackage", definitionGroupId="loyalty")
        content = anonymous.get(act("GetExportedPackageUrl", executionId=run), timeout=10).content
        for number in ("1", "ü<2>"):
            assert finops.delete(f"{CARDS}('{number}')").status_code == 204
        run = upload(content)
        assert act("GetExecutionSummaryStatus", executionId=run) == "Succeeded"
        after = finops.get(CARDS).json()["value"]
        assert [{k: v for k, v in one.items() if k[0] != "@"} for one in after] == [
            {k: v for k, v in one.items() if k[0] != "@"} for one in before
        ]


def test_rows_that_fail_are_told_and_the_rest_stays(
    finops: FinopsSession, act: Act, upload: Upload, anonymous: requests.Session
) -> None:
    run = upload(package("CARDNUMBER,PARTYNUMBER\r\n1,\r\n2,nobody\r\n3,\r\n"))
    assert act("GetExecutionSummaryStatus", executionId=run) == "PartiallySucceeded"
    assert finops.get(f"{CARDS}/$count").text == "2"
    (error,) = json.loads(act("GetExecutionErrors", executionId=run))
    assert (error["EntityName"], error["RecordId"]) == ("Loyalty card", "2")
    assert "'nobody'" in error["ErrorMessage"]
    named = {"executionId": run, "entityName": "Loyalty card"}
    assert act("GenerateImportTargetErrorKeysFile", **named) is True
    address = act("GetImportTargetErrorKeysFileUrl", **named)
    assert anonymous.get(address, timeout=10).text.splitlines()[1].startswith("2,")
    assert act("GetImportStagingErrorFileUrl", **named)


def test_without_errors_there_is_no_file(act: Act, upload: Upload) -> None:
    run = upload(package("CARDNUMBER\r\n1\r\n"))
    named = {"executionId": run, "entityName": "RetailLoyaltyCardEntity"}
    assert act("GenerateImportTargetErrorKeysFile", **named) is False
    assert act("GetImportTargetErrorKeysFileUrl", **named) == ""


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"no zip", "is not a zip file"),
        (package("CARDNUMBER\r\n1\r\n")[:200], "is not a zip file"),
        (changed(package(""), {"Manifest.xml": None}), "has no Manifest.xml"),
        (changed(package(""), {"PackageHeader.xml": None}), "has no PackageHeader.xml"),
        (changed(package(""), {"Manifest.xml": b"<"}), "not an XML document"),
        (changed(package(""), {f"{CARD_FILE}.csv": None}), "no file 'Loyalty card.csv'"),
        (package("NOTHING\r\n1\r\n"), "Column 'NOTHING' is not part of"),
        (package("CARDNUMBER,PARTYNUMBER\r\n1\r\n"), "not as many values"),
        (package("<Document>", Format.XML), "Not an XML document"),
        (changed(package(""), {f"{CARD_FILE}.csv": b"\xff\x00"}), "not in the encoding"),
        (package("CARDNUMBER,LOYALTYENROLLMENTTIME\r\n1,x\r\n"), "Cannot convert the literal"),
        (package("CARDNUMBER,LOYALTYENROLLMENTDATE\r\n1,x\r\n"), "Cannot convert the literal"),
    ],
)
def test_packages_that_are_wrong_write_nothing(
    finops: FinopsSession, act: Act, upload: Upload, content: bytes, text: str
) -> None:
    run = upload(content)
    assert act("GetExecutionSummaryStatus", executionId=run) == "Failed"
    assert text in act("GetExecutionErrors", executionId=run)
    assert finops.get(f"{CARDS}/$count").text == "0"


def test_an_entity_nobody_knows(act: Act, upload: Upload) -> None:
    content = package("")
    with zipfile.ZipFile(io.BytesIO(content)) as old:
        manifest = old.read("Manifest.xml").decode("utf-16")
    manifest = manifest.replace("RetailLoyaltyCardEntity", "XEntity")
    run = upload(changed(content, {"Manifest.xml": manifest.encode("utf-16")}))
    assert "does not exist" in act("GetExecutionErrors", executionId=run)


def test_rows_of_a_company(finops: FinopsSession, act: Act, upload: Upload) -> None:
    text = "CUSTOMERGROUPID,DESCRIPTION\r\n77,x\r\n"
    upload(package(text, entity="CustomerGroups"), legalEntityId="usmf")
    row = finops.get("CustomerGroups(dataAreaId='usmf',CustomerGroupId='77')?cross-company=true")
    assert row.json()["Description"] == "x"
    assert act("GetExecutionErrors", executionId=upload(package("CARDNUMBER\r\n"))) == "[]"


def test_imports_do_not_run_at_the_same_time(
    finops: FinopsSession, act: Act, upload: Upload
) -> None:
    finops.switch("runs", {"seconds": 30})
    upload(package("CARDNUMBER\r\n1\r\n"))
    with pytest.raises(AssertionError, match="Another import is in progress"):
        upload(package("CARDNUMBER\r\n2\r\n"))


def test_a_package_from_elsewhere_cannot_be_had(finops: FinopsSession) -> None:
    for address in ("https://example.com/x.zip", f"{finops.host}/blobs/x.zip?sp=r&sig=0&se=9"):
        answer = finops.post(
            "DataManagementDefinitionGroups/Microsoft.Dynamics.DataEntities.ImportFromPackage",
            json={"packageUrl": address, "definitionGroupId": "in"},
        )
        assert (answer.status_code, "could not be downloaded" in answer.text) == (400, True)
