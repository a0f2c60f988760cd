"""Bad input: each gets one clear error and its exit code; nothing is lost, the others go on."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest import mock

import pytest
import trustme

from tests.acceptance.conftest import CARDS, members

if TYPE_CHECKING:
    from tests.acceptance.conftest import Project, Result

MAP = "mappings/loyalty-card.yaml"
COMMANDS = ("load", "plan", "sync", "verify", "status", "check")


@pytest.fixture(autouse=True)
def no_waiting() -> Iterator[None]:
    """Retries take no time."""
    with mock.patch("time.sleep"):
        yield


def change(project: Project, file: str, old: str, new: str) -> None:
    """Replace one text in a file of the project."""
    path = project.folder / file
    text = path.read_text("utf-8")
    assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {file}"
    path.write_text(text.replace(old, new), "utf-8")


def shown_to_people(project: Project, *args: str, code: int) -> str:
    """The same error without --json: on stderr, with its remedy."""
    result: Result = project.call(*args, code=code)
    assert "Traceback" not in result.stderr
    assert "remedy: " in result.stderr
    return result.stderr


# ---------------------------------------------------------------------------- maps

BROKEN_MAPS = [
    ("map: loyalty-card", "map: [", "yaml-broken"),
    ("title: Loyalty card", "titel: Loyalty card", "map-unknown-key"),
    ("master: commerce", "master: crm", None),
    ('  - {commerce: PartyNumber, sync: "="', '  - {commerce: PartyNumber, sync: "=="', None),
    (", key: true", "", None),
]


@pytest.mark.parametrize(("old", "new", "code"), BROKEN_MAPS)
def test_a_broken_map_file(project: Project, old: str, new: str, code: str | None) -> None:
    change(project, MAP, old, new)
    error = project.call("sync", "--json", code=2).error
    (checked,) = project.json("check", code=2)["problems"]
    for found in (error, checked):
        assert code in (None, found["code"])
        assert found["subject"]["file"] == MAP
        assert found["subject"]["line"] >= 1
    assert MAP in shown_to_people(project, "sync", code=2)


def test_check_tells_all_that_is_wrong_with_all_map_files(project: Project) -> None:
    change(project, MAP, ", key: true", "")
    points = "mappings/loyalty-reward-points.yaml"
    change(project, points, "master: commerce", "master: crm")
    change(project, points, "fields:", "field:")
    report = project.json("check", code=2)
    found = [(one["subject"]["file"], one["code"], one["dual_write"]) for one in report["problems"]]
    assert found == [
        (MAP, "key-none", ["DIPV1003"]),
        (points, "map-wrong-value", []),
        (points, "map-unknown-key", []),
    ]
    assert report["ok"] is False
    people = project.call("check", code=2)
    assert "error key-none DIPV1003: mappings/loyalty-card.yaml:" in people.stdout
    assert "checked map files only: 3 errors" in people.stdout


def test_a_map_file_that_is_no_text(project: Project) -> None:
    (project.folder / MAP).write_bytes(b"map: \xff\xfe\x00")
    error = project.call("sync", "--json", code=2).error
    assert error["subject"]["file"] == MAP


def test_a_folder_without_maps(project: Project) -> None:
    shutil.rmtree(project.folder / "mappings")
    assert project.call("sync", "--json", code=2).error["code"] == "maps-missing"


WRONG_MAPS = [
    ("dataverse: msdyn_partynumber}", "dataverse: msdyn_partynumer}", "column-unknown"),
    ("{commerce: PartyNumber,", "{commerce: PartyNumer,", "column-unknown"),
    ("{entity: msdyn_loyaltycards}", "{entity: msdyn_loyaltycard}", None),
    ("{entity: RetailLoyaltyCards}", "{entity: RetailLoyaltyCrads}", None),
    ("      Blocked: 806380003", "      Blocked: 806380009", None),
    ("      Blocked: 806380003", "      Blokked: 806380003", None),
    ("{commerce: PartyNumber, sync: \"=\", dataverse: msdyn_partynumber}",
     "{commerce: PartyNumber, sync: \"=\", dataverse: createdon}", None),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "code"), WRONG_MAPS)
def test_a_map_that_does_not_fit_the_tables(
    project: Project, old: str, new: str, code: str | None
) -> None:
    """The other map goes on."""
    project.import_cards(members(2))
    point = {"RewardPointId": "P1", "RewardPointType": "Quantity"}
    project.import_points([point])
    change(project, MAP, old, new)
    report = project.call("check", "--json", code=2).json
    errors = [one for one in report["problems"] if one["severity"] == "error"]
    assert errors, report
    assert code in (None, errors[0]["code"])
    assert errors[0]["remedy"]
    loaded = project.call("load", "--json", code=2).json
    by_map = {one["map"]: one for one in loaded["maps"]}
    assert by_map["loyalty-card"]["error"]["code"]
    assert by_map["loyalty-card"]["writes"] == 0
    assert by_map["loyalty-reward-points"]["error"] is None
    assert by_map["loyalty-reward-points"]["writes"] == 1
    if "file" in errors[0]["subject"]:
        assert errors[0]["subject"]["file"] == MAP
        assert errors[0]["subject"]["line"] >= 1


# ---------------------------------------------------------------------------- config


def test_no_config(project: Project) -> None:
    (project.folder / "config/connector.toml").unlink()
    for command in COMMANDS:
        assert project.call(command, "--json", code=2).error["code"] == "config-missing"


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("[commerce]", "[commerce", "config-syntax"),
        ('kind = "ledger"', 'kind = "leger"', "config-invalid"),
        ("deletes.rows = 100", 'deletes.rows = "many"', "config-invalid"),
        ("deletes.rows", "deletes.row", "config-invalid"),
        ('url = "sqlite:///var/state.db"', 'url = "oracle://x"', None),
    ],
)
def test_a_wrong_config(project: Project, old: str, new: str, code: str | None) -> None:
    change(project, "config/connector.toml", old, new)
    error = project.call("sync", "--json", code=2).error
    assert code in (None, error["code"])
    assert "connector.toml" in str(error["subject"]) or code is None


@pytest.mark.parametrize("command", ["load", "plan", "sync", "verify", "check"])
def test_a_missing_secret(project: Project, command: str) -> None:
    error = project.call(command, "--json", code=2, TEST_CLIENT_SECRET="").error
    assert error["code"] == "secret-missing"
    assert "TEST_CLIENT_SECRET" in error["remedy"]


def test_a_wrong_secret_is_told_and_never_shown(project: Project) -> None:
    for command in ("load", "sync", "plan", "verify"):
        result = project.call(command, "--json", code=2, TEST_CLIENT_SECRET="not-the-secret")
        assert result.error["code"] == "secret-wrong"
        assert "not-the-secret" not in result.stdout + result.stderr
    report = project.call("check", "--json", code=2, TEST_CLIENT_SECRET="not-the-secret").json
    assert {one["code"] for one in report["problems"]} == {"secret-wrong"}


def test_an_application_that_is_no_user(project: Project, sandbox: dict[str, Any]) -> None:
    result = project.call(
        "sync",
        "--json",
        code=2,
        DUALWRITE__DATAVERSE__CLIENT_ID=sandbox["outsider_client_id"],
        TEST_CLIENT_SECRET=sandbox["outsider_client_secret"],
    )
    assert "user" in result.error["message"] + result.error["remedy"]


def test_a_certificate_of_somebody_else(project: Project, tmp_path: Path) -> None:
    other = tmp_path / "other.pem"
    trustme.CA().cert_pem.write_to_path(other)
    error = project.call("sync", "--json", code=4, DUALWRITE__DATAVERSE__CA=str(other)).error
    assert "certificate" in error["code"]
    assert "`ca`" in error["remedy"]


def test_a_ca_file_that_is_not_there(project: Project) -> None:
    error = project.call("sync", "--json", code=2, DUALWRITE__DATAVERSE__CA="nowhere.pem").error
    assert "nowhere.pem" in error["message"] + str(error["subject"]) + str(error["cause"])


def test_an_organization_of_another_tenant(project: Project) -> None:
    elsewhere = {"DUALWRITE__DATAVERSE__URL": "https://127.0.0.1:9"}
    assert project.call("sync", "--json", code=2, **elsewhere).error["code"] == "resource-unknown"


def test_a_map_that_is_not_there(project: Project) -> None:
    for command in ("load", "plan", "sync", "verify", "status"):
        error = project.call(command, "--map", "loyalty-crad", "--json", code=2).error
        assert error["code"] == "map-unknown"
        assert "loyalty-card" in error["remedy"]


def test_sync_before_load(project: Project) -> None:
    told = project.call("sync", "--json", code=2).json
    assert {one["error"]["code"] for one in told["maps"]} == {"map-not-loaded"}


# ---------------------------------------------------------------------------- records

ODD_NUMBERS = [
    "O'Brien",
    "50% off",
    "a/b",
    "a+b&c=d",
    "#1?",
    "<x>*:\\",
    'say "hi"',
    "Zoë-Ångström",
    "日本語カード番号",
    "0123456789" * 3,
    "x (1,2)",
    "..",
    "💳 card",
]


def test_odd_card_numbers_travel_both_ways(project: Project) -> None:
    """Characters the service cannot take in a URL, 30 characters, other scripts."""
    here = [{"CardNumber": number, "ReplacementCardNumber": "R"} for number in ODD_NUMBERS]
    project.import_cards(here)
    project.import_cards(members(3))
    from_agents = [f"{number[:28]} D" for number in ODD_NUMBERS]
    for number in from_agents:
        answer = project.agent.post(CARDS, json={"msdyn_cardnumber": number})
        assert answer.status_code == 204, answer.text
    project.json("load")
    everybody = {*ODD_NUMBERS, *from_agents, *(str(m["CardNumber"]) for m in members(3))}
    assert project.cards().keys() == everybody
    assert set(project.ledger_keys()) == everybody
    for number in ODD_NUMBERS:
        project.edit(number, msdyn_cardtendertype=806380002)
    project.import_cards([{"CardNumber": n, "ReplacementCardNumber": "N"} for n in from_agents])
    project.json("sync")
    for number in ODD_NUMBERS:
        assert project.ledger(number)["CardTenderType"] == "NoTender"
    cards = project.cards()
    assert {cards[number]["msdyn_replacementcardnumber"] for number in from_agents} == {"N"}
    for number in ODD_NUMBERS:
        assert project.json("verify", "--key", number)["equal"] is True
        assert project.json("plan", "--key", number)["writes"] == 0
    project.verified()
    assert project.json("sync")["synced"] == 0


def test_a_card_number_longer_than_the_other_side_takes(project: Project) -> None:
    project.import_cards(members(2))
    long = "L" * 31
    assert project.agent.post(CARDS, json={"msdyn_cardnumber": long}).status_code == 204
    loaded = project.call("load", "--json", code=3).json
    assert loaded["needs"] == [{"map": "loyalty-card", "kind": "parked", "count": 1}]
    assert len(project.cards()) == 3
    verdict = project.json("verify")
    assert (verdict["equal"], verdict["excused"]) == (True, 1)
    (finding,) = verdict["maps"][0]["findings"]
    assert finding["key"] == long
    assert "30" in finding["reason"]
    project.edit(long, msdyn_cardnumber="L-short")
    assert project.json("sync")["synced"] == 1
    assert "L-short" in project.ledger_keys()
    project.verified()


def test_a_choice_value_nobody_mapped(project: Project) -> None:
    """The record fails with the value named; the others go on."""
    change(project, MAP, "      NoTender: 806380002\n", "")
    project.import_cards(
        [{"CardNumber": "A", "CardTenderType": "NoTender"}, *({"CardNumber": "B"},)]
    )
    loaded = project.call("load", "--json", code=3).json
    assert loaded["loaded"] == 1
    verdict = project.json("verify")
    (finding,) = verdict["maps"][0]["findings"]
    assert (finding["verdict"], finding["key"]) == ("excused", "A")
    assert "choice-unknown" in finding["reason"]
    assert "NoTender" in finding["reason"]
    project.json("ledger", "set", "A", "CardTenderType=Blocked")
    assert project.json("sync")["synced"] == 1
    project.verified()


def test_null_bytes_and_control_characters(project: Project) -> None:
    project.import_cards(members(2))
    answer = project.agent.post(CARDS, json={"msdyn_cardnumber": "nul\x00byte"})
    assert answer.status_code == 400
    refused = project.call(
        "ledger", "set", "M100000", "ReplacementCardNumber=a\x00b", "--json", code=3
    )
    assert refused.error["subject"]["field"] == "ReplacementCardNumber"
    path = project.folder / "nul.csv"
    path.write_bytes(b"CardNumber\nfine\nb\x00d\nalso fine\n")
    report = project.call("ledger", "import", str(path), "--json", code=3).json
    assert (report["created"], report["refused"]) == (2, 1)
    assert report["problems"][0]["subject"]["line"] == 3
    project.json("load")
    assert {"fine", "also fine"} <= project.cards().keys()
    project.verified()


def test_duplicate_card_numbers(project: Project) -> None:
    """Both sides refuse a second one themselves, whatever its case or trailing blanks."""
    path = project.folder / "double.csv"
    path.write_text("CardNumber\nAbc\naBC \n", "utf-8")
    report = project.call("ledger", "import", str(path), "--json", code=3).json
    assert [one["code"] for one in report["problems"]] == ["line-double"]
    assert project.import_cards([{"CardNumber": "aBC "}])["created"] == 0
    assert project.agent.post(CARDS, json={"msdyn_cardnumber": "ABC"}).status_code == 204
    assert project.agent.post(CARDS, json={"msdyn_cardnumber": "abc "}).status_code == 412
    project.json("load")
    assert len(project.rows()) == len(project.ledger_keys()) == 1
    project.verified()


def test_duplicate_card_numbers_where_the_key_is_missing(project: Project, tmp_path: Path) -> None:
    """Without its alternate key Dataverse takes twins: both are set aside, the others travel."""
    project.import_cards(members(2))
    change(project, MAP, "dataverse: msdyn_cardnumber,", "dataverse: msdyn_replacementcardnumber,")
    change(
        project,
        MAP,
        '{commerce: ReplacementCardNumber, sync: ">", dataverse: msdyn_replacementcardnumber}',
        '{commerce: ReplacementCardNumber, sync: ">", dataverse: msdyn_cardnumber}',
    )
    for number in ("one", "two"):
        row = {"msdyn_cardnumber": number, "msdyn_replacementcardnumber": "Twin"}
        assert project.agent.post(CARDS, json=row).status_code == 204
    warnings = project.json("check")["problems"]
    assert "alternate-key-missing" in {one["code"] for one in warnings}
    loaded = project.call("load", "--map", "loyalty-card", "--json", code=3).json
    assert loaded["needs"] == [{"map": "loyalty-card", "kind": "parked", "count": 2}]
    assert "Twin" not in project.ledger_keys()
    verdict = project.json("verify", "--map", "loyalty-card")
    reasons = [one["reason"] for one in verdict["maps"][0]["findings"]]
    assert len(reasons) == 2
    assert all("duplicate-key" in reason for reason in reasons)
    ids = {row["msdyn_cardnumber"]: row["msdyn_loyaltycardid"] for row in project.rows()}
    assert all(ids["one"] in reason and ids["two"] in reason for reason in reasons)
    project.agent.delete(f"{CARDS}({ids['two']})")
    assert project.json("sync", "--map", "loyalty-card")["synced"] == 1
    assert "Twin" in project.ledger_keys()


def test_a_reference_the_other_side_does_not_know(project: Project) -> None:
    project.import_cards(members(2))
    project.json("load")
    project.edit("M100000", msdyn_partynumber="NOBODY", msdyn_cardtendertype=806380001)
    project.edit("M100001", msdyn_cardtendertype=806380001)
    synced = project.call("sync", "--json", code=3).json
    assert synced["needs"] == [{"map": "loyalty-card", "kind": "parked", "count": 1}]
    assert project.ledger("M100001")["CardTenderType"] == "AsContactTender"
    verdict = project.json("verify")
    assert verdict["equal"] is True
    assert verdict["excused"] >= 1
    assert "NOBODY" in verdict["maps"][0]["findings"][0]["reason"]
    project.edit("M100000", msdyn_partynumber=None)
    project.json("sync")
    project.verified()


def test_a_table_that_is_not_tracked_or_has_no_right(project: Project) -> None:
    change(project, MAP, "{entity: msdyn_loyaltycards}", "{entity: businessunits}")
    report = project.call("check", "--json", code=2).json
    assert all(one["remedy"] for one in report["problems"])


@pytest.mark.parametrize("days", [-30])
def test_an_expired_certificate(project: Project, tmp_path: Path, days: int) -> None:
    from connector.sandbox.run import running

    folder = tmp_path / "expired"
    folder.mkdir()
    with running(folder) as where:
        assert where["ca"]
    ca = trustme.CA()
    leaf = ca.issue_cert("127.0.0.1", not_after=datetime.now(UTC) + timedelta(days=days))
    ca.cert_pem.write_to_path(folder / "ca.pem")
    (folder / "server.pem").write_bytes(
        leaf.private_key_pem.bytes() + b"".join(blob.bytes() for blob in leaf.cert_chain_pems)
    )
    with running(folder) as where:
        error = project.call(
            "sync",
            "--json",
            code=4,
            DUALWRITE__DATAVERSE__URL=where["dataverse"],
            DUALWRITE__DATAVERSE__AUTHORITY=where["authority"],
            DUALWRITE__DATAVERSE__CA=str(folder / "ca.pem"),
        ).error
    assert "certificate" in error["code"]
    assert "expired" in str(error["cause"]) + error["message"]
