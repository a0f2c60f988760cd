"""`dualwrite ledger …` as a person uses it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from connector.cli import app as program
from tests.unit.cli.conftest import Capture, Terminal

MEMBERS = (
    "\ufeffLoyalty_Number,City,Enrollment_Year,Enrollment_Month,Cancellation_Year\r\n"
    "480934,Toronto,2016,2,0\r\n"
    "549612,Montréal,2016,3,2018\r\n"
)
AS_MEMBERS = (
    "--card-number",
    "Loyalty_Number",
    "--enrolled",
    "{Enrollment_Year}-{Enrollment_Month}",
    "--blocked-if",
    "Cancellation_Year",
)


@pytest.fixture
def members(tmp_path: Path) -> Path:
    path = tmp_path / "members.csv"
    path.write_bytes(MEMBERS.encode())
    return path


# ---------------------------------------------------------------------------- import


def test_a_member_file_goes_in_and_a_second_time_changes_nothing(
    run: Terminal, members: Path
) -> None:
    code, report = run.json("import", members, *AS_MEMBERS)
    assert code == 0
    assert report == {
        "file": str(members),
        "entity": "RetailLoyaltyCards",
        "read": 2,
        "created": 2,
        "updated": 0,
        "unchanged": 0,
        "refused": 0,
        "written": True,
        "problems": [],
    }
    code, report = run.json("import", members, *AS_MEMBERS)
    assert (code, report["created"], report["unchanged"]) == (0, 0, 2)
    _, card = run.json("show", "549612")
    assert card["values"]["CardTenderType"] == "Blocked"
    assert card["values"]["LoyaltyEnrollmentDate"] == "2016-03-01"
    assert card["values"]["LoyaltyEnrollmentDateLocal"] == "2016-03-01"
    assert (card["version"], card["modified_by"]) == (2, "cli:ann")


def test_the_general_options_do_what_the_short_ones_do(run: Terminal, members: Path) -> None:
    code, report = run.json(
        *("import", members, "--set", "CardNumber=Loyalty_Number"),
        *("--map", "LoyaltyEnrollmentDate={Enrollment_Year}-{Enrollment_Month}"),
        *("--set", "OmOperatingUnitNumber=City", "--value", "OmOperatingUnitNumber:Montréal=MTL"),
        *("--constant", "CardTenderType=NoTender", "--by", "migration"),
    )
    assert (code, report["created"]) == (0, 2)
    _, card = run.json("show", "549612")
    assert card["values"]["OmOperatingUnitNumber"] == "MTL"
    assert card["values"]["CardTenderType"] == "NoTender"
    assert card["modified_by"] == "cli:migration"


def test_bad_lines_are_shown_and_exit_with_3(run: Terminal, tmp_path: Path) -> None:
    path, rejects = tmp_path / "cards.csv", tmp_path / "rejects.csv"
    path.write_text("CardNumber\tCardTenderType\n1\tBlocked\n2\tGold\n1\tBlocked\n")
    code, out, err = run("import", path, "--rejects", rejects, "--delimiter", "tab")
    assert code == 3
    assert "no choice 'Gold'" in out
    assert "line 2 has the same CardNumber" in out
    assert str(rejects) in err
    assert len(rejects.read_text().splitlines()) == 3
    code, report = run.json("import", path, "--strict")
    assert code == 3
    assert (report["written"], report["refused"]) == (False, 2)
    assert [problem["subject"]["line"] for problem in report["problems"]] == [3, 4]


def test_strict_says_that_nothing_was_written(run: Terminal, tmp_path: Path) -> None:
    path = tmp_path / "cards.csv"
    path.write_text("CardNumber,CardTenderType\n1,Blocked\n2,Gold\n")
    code, _, err = run("import", path, "--strict")
    assert code == 3
    assert "Nothing was written" in err
    assert run.json("list")[1]["total"] == 0


def test_more_bad_lines_than_are_shown_are_counted(run: Terminal, tmp_path: Path) -> None:
    path = tmp_path / "cards.csv"
    path.write_text("CardNumber,CardTenderType\n" + "1,Gold\n" * 25)
    code, out, err = run("import", path)
    assert code == 3
    assert out.count("no choice 'Gold'") == 20
    assert "5 more bad lines" in err


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["import", "none.csv"], "file-unreadable"),
        (["import", "members.csv"], "key-unmapped"),
        (["import", "members.csv", "--set", "CardNumber"], "usage"),
        (["import", "members.csv", "--value", "CardTenderType=Gold"], "usage"),
        (["import", "members.csv", "--card-number", "Nr"], "column-missing"),
        (
            ["import", "members.csv", "--card-number", "City", "--set", "CardNumber=Nr"],
            "field-twice",
        ),
        (["import", "members.csv", *AS_MEMBERS, "--entity", "tiers"], "entity-unknown"),
        (["import", "members.csv", *AS_MEMBERS, "--delimiter", "::"], "delimiter-invalid"),
    ],
)
def test_a_wrong_command_line_is_a_usage_error(
    run: Terminal, members: Path, words: list[str], code: str
) -> None:
    exit_code, answer = run.json(*words)
    assert (exit_code, answer["error"]["code"]) == (2, code)


def test_point_kinds_are_imported_by_entity(run: Terminal, tmp_path: Path) -> None:
    path = tmp_path / "points.csv"
    path.write_text("rewardpointid,rewardpointtype,redeemable\nSilver,quantity,yes\n")
    assert run.json("import", path, "--entity", "reward-points")[1]["created"] == 1
    _, point = run.json("show", "silver", "--entity", "RetailLoyaltyRewardPoints")
    assert point["values"]["Redeemable"] == "Yes"


# ---------------------------------------------------------------------------- one record


def test_a_record_is_created_shown_changed_and_deleted(run: Terminal) -> None:
    code, made = run.json("set", "55001", "CardTenderType=blocked", "--create")
    assert (code, made["effect"], made["values"]["CardTenderType"]) == (0, "created", "Blocked")
    code, changed = run.json("set", made["id"], "cardtendertype=NoTender", "CardTenderType=")
    assert (code, changed["error"]["code"]) == (3, "value-missing")
    code, changed = run.json("set", "55001 ", "LoyaltyEnrollmentDate=2026-01-02")
    assert (changed["effect"], changed["version"]) == ("updated", 2)
    code, same = run.json("set", "55001", "LoyaltyEnrollmentDate=2026-01-02")
    assert (code, same["effect"], same["version"]) == (0, "unchanged", 2)
    code, gone = run.json("delete", "55001")
    assert (code, gone["effect"], gone["key"]) == (0, "deleted", "55001")
    code, missing = run.json("show", "55001")
    assert (code, missing["error"]["code"]) == (3, "card-unknown")


def test_an_empty_value_empties_the_field(run: Terminal) -> None:
    run("set", "1", "ReplacementCardNumber=2", "--create")
    assert (
        run.json("set", "1", "ReplacementCardNumber=")[1]["values"]["ReplacementCardNumber"] is None
    )


def test_set_does_not_make_a_record_unasked(run: Terminal, members: Path) -> None:
    run("import", members, *AS_MEMBERS)
    code, _, err = run("set", "4000123412341234", "CardTenderType=Blocked")
    assert code == 3
    assert "--create" in err
    assert "4000123412341234" not in err
    assert "1234" in err


def test_a_new_party_must_be_wanted(run: Terminal) -> None:
    code, refused = run.json("set", "1", "PartyNumber=P-7", "--create")
    assert (code, refused["error"]["code"]) == (3, "reference-unknown")
    code, made = run.json("set", "1", "PartyNumber=P-7", "--create", "--create-references")
    assert (code, made["values"]["PartyNumber"]) == (0, "P-7")


def test_records_are_listed_by_key(run: Terminal, members: Path) -> None:
    run("import", members, *AS_MEMBERS)
    code, listed = run.json("list", "--limit", "1")
    assert (code, listed["entity"], listed["total"]) == (0, "RetailLoyaltyCards", 2)
    assert [record["key"] for record in listed["records"]] == ["480934"]
    assert run.json("list", "--after", "480934")[1]["records"][0]["key"] == "549612"
    code, out, _ = run("list")
    assert code == 0
    assert "480934" in out
    assert "2 of 2" in out


def test_a_person_sees_tables(run: Terminal, members: Path) -> None:
    code, out, err = run("import", members, *AS_MEMBERS)
    assert (code, err) == (0, "")
    assert "created" in out
    code, out, err = run("show", "480934")
    assert (code, err) == (0, "")
    assert "2016-02-01" in out
    assert "cli:ann" in out
    code, out, err = run("delete", "480934")
    assert (code, out) == (0, "")
    assert "Deleted loyalty card, record" in err
    assert "480934" not in err, "stderr may end up in a log"


@pytest.mark.parametrize("words", [["show", "1"], ["list"], ["delete", "1"], ["set", "1", "a=b"]])
def test_looking_into_a_ledger_that_is_not_there_makes_none(
    run: Terminal, tmp_path: Path, words: list[str]
) -> None:
    code, answer = run.json(*words)
    assert (code, answer["error"]["code"]) == (2, "ledger-missing")
    assert not (tmp_path / "ledger.db").exists()


# ---------------------------------------------------------------------------- which ledger

CONFIG = """
[commerce]
kind = "{kind}"
url = "{url}"
[dataverse]
url = "https://127.0.0.1:8443"
authority = "https://127.0.0.1:8443/tenant"
client_id = "x"
client_secret = "env:SECRET"
"""


def test_the_ledger_of_the_config_is_used(
    run: Terminal, members: Path, tmp_path: Path, capsys: Capture
) -> None:
    config = tmp_path / "connector.toml"
    config.write_text(CONFIG.format(kind="ledger", url="sqlite:///var/own.db"))
    words = ["ledger", "import", str(members), *AS_MEMBERS, "--config", str(config), "--json"]
    assert program.run(words) == 0
    assert (tmp_path / "var" / "own.db").exists()


def test_another_commerce_side_is_no_ledger(tmp_path: Path, capsys: Capture) -> None:
    config = tmp_path / "connector.toml"
    config.write_text(CONFIG.format(kind="odata-v4", url="https://127.0.0.1/data"))
    assert program.run(["ledger", "list", "--config", str(config), "--json"]) == 2
    answer = json.loads(capsys.readouterr().out)
    assert answer["error"]["code"] == "ledger-other"


def test_the_commands_are_found_without_loading_the_database_library() -> None:
    program_text = (
        "import sys, connector.cli.ledger.group; "
        "sys.exit(any(name in sys.modules for name in ('sqlalchemy', 'pandas')))"
    )
    subprocess.run([sys.executable, "-c", program_text], check=True, timeout=60)
