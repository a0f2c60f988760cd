"""The main job, as a person does it: import, load, edits on both sides, plan, sync, verify."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.acceptance.conftest import Project

CARDS = "msdyn_loyaltycards"
POINTS = "msdyn_loyaltyrewardpoints"
BLOCKED = 806380003
MEMBER_LIST = "DUALWRITE_MEMBER_LIST"
"""Names a CSV file of members with the columns used below; the next place is beside the clone."""


def member_list() -> Path:
    """The list of real members, or a skip that says where it was looked for."""
    beside = Path(__file__).parents[3] / "shared/data/loyalty_history.csv"
    path = Path(os.environ.get(MEMBER_LIST, beside))
    if not path.is_file():
        pytest.skip(f"no list of members: set {MEMBER_LIST} (looked for {path})")
    return path


def generated_list(path: Path, count: int = 300) -> Path:
    """A list in the same form, with a BOM and CRLF."""
    lines = ["Loyalty_Number,Country,Enrollment_Year,Enrollment_Month,Cancellation_Year"]
    for n in range(count):
        cancelled = 2018 if n % 8 == 0 else 0
        lines.append(f"{100_018 + n},Canada,{2012 + n % 7},{1 + n % 12},{cancelled}")
    path.write_bytes(b"\xef\xbb\xbf" + "\r\n".join(lines).encode() + b"\r\n")
    return path


def import_members(project: Project, path: Path) -> int:
    """Import the list, twice; the number of members."""
    command = ["ledger", "import", str(path), "--card-number", "Loyalty_Number"]
    command += ["--enrolled", "{Enrollment_Year}-{Enrollment_Month}"]
    command += ["--blocked-if", "Cancellation_Year"]
    report = project.run(*command, "--json").json
    assert report["refused"] == 0
    assert report["created"] == report["read"]
    again = project.json(*command)
    assert (again["created"], again["updated"]) == (0, 0)
    return int(report["read"])


def play(project: Project, path: Path) -> None:
    """The story over one list of members; every command is a process of its own."""
    count = import_members(project, path)
    loaded = project.run("load", "--json").json
    assert loaded["finished"] is True
    assert loaded["loaded"] == count
    assert loaded["needs"] == []
    verdict = project.run("verify", "--json").json
    assert (verdict["equal"], verdict["compared"], verdict["drift"]) == (True, count, 0)

    cards = project.cards()
    assert len(cards) == count
    lines = path.read_text("utf-8-sig").splitlines()
    names = lines[0].split(",")
    member = dict(zip(names, lines[1].split(","), strict=True))
    first = cards[member["Loyalty_Number"]]
    month = f"{member['Enrollment_Year']}-{int(member['Enrollment_Month']):02}-01"
    assert first["msdyn_enrollmentdate"] == first["msdyn_effectivedate"] == month
    blocked = sum(
        dict(zip(names, line.split(","), strict=True))["Cancellation_Year"] != "0"
        for line in lines[1:]
    )
    assert [c["msdyn_cardtendertype"] for c in cards.values()].count(BLOCKED) == blocked

    open_cards = sorted(n for n, c in cards.items() if c["msdyn_cardtendertype"] != BLOCKED)
    there, here, both, drifting = open_cards[:4]
    project.edit(there, msdyn_cardtendertype=BLOCKED)
    project.edit(both, msdyn_enrollmentdate="2019-03-05", msdyn_effectivedate="2019-03-05")
    project.run("ledger", "set", here, "ReplacementCardNumber=NEW-1")
    project.run("ledger", "set", both, "CardTenderType=AsContactTender")
    project.edit(drifting, msdyn_replacementcardnumber="AGENT")

    state = (project.folder / "var/state.db").read_bytes()
    planned = project.run("plan", "--json").json
    assert (project.folder / "var/state.db").read_bytes() == state
    assert planned["writes"] == 4
    assert planned["maps"][0]["counts"] == {"update_commerce": 2, "update_dataverse": 2}
    synced = project.run("sync", "--json").json
    assert synced["synced"] == 4
    assert synced["finished"] is True

    assert project.ledger(there)["CardTenderType"] == "Blocked"
    assert project.ledger(both)["LoyaltyEnrollmentDate"] == "2019-03-05"
    assert project.ledger(both)["CardTenderType"] == "AsContactTender"
    assert project.ledger(drifting)["ReplacementCardNumber"] in (None, "")
    cards = project.cards()
    assert cards[here]["msdyn_replacementcardnumber"] == "NEW-1"
    assert cards[both]["msdyn_cardtendertype"] == 806380001
    assert cards[drifting]["msdyn_replacementcardnumber"] == "AGENT"

    project.forget_requests()
    assert project.run("sync", "--json").json["synced"] == 0
    assert project.written() == {}
    verdict = project.run("verify", "--json").json
    assert (verdict["equal"], verdict["differences"], verdict["drift"]) == (True, 0, 1)
    (finding,) = verdict["maps"][0]["findings"]
    assert (finding["verdict"], finding["key"]) == ("drift", drifting)


def test_generated_members(project: Project, tmp_path: Path) -> None:
    play(project, generated_list(tmp_path / "members.csv"))


@pytest.mark.slow
def test_real_members(project: Project) -> None:
    play(project, member_list())
