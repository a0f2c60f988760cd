"""The main job, as a person does it: import, load, edits on both sides, plan, sync, verify."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest

if TYPE_CHECKING:
    from tests.acceptance.conftest import Project, Result

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


Command: TypeAlias = Callable[..., "Result"]


def import_members(project: Project, command: Command, path: Path) -> int:
    """Import the list, twice; the number of members."""
    words = ["ledger", "import", str(path), "--card-number", "Loyalty_Number"]
    words += ["--enrolled", "{Enrollment_Year}-{Enrollment_Month}"]
    words += ["--blocked-if", "Cancellation_Year"]
    report = command(*words, "--json").json
    assert report["refused"] == 0
    assert report["created"] == report["read"]
    again = project.json(*words)
    assert (again["created"], again["updated"]) == (0, 0)
    return int(report["read"])


def play(project: Project, command: Command, path: Path) -> None:
    """The story over one list of members; `command` runs what a person types."""
    count = import_members(project, command, path)
    loaded = command("load", "--json").json
    assert loaded["finished"] is True
    assert loaded["loaded"] == count
    assert loaded["needs"] == []
    verdict = command("verify", "--json").json
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
    command("ledger", "set", here, "ReplacementCardNumber=NEW-1")
    command("ledger", "set", both, "CardTenderType=AsContactTender")
    project.edit(drifting, msdyn_replacementcardnumber="AGENT")

    state = (project.folder / "var/state.db").read_bytes()
    planned = command("plan", "--json").json
    assert (project.folder / "var/state.db").read_bytes() == state
    assert planned["writes"] == 4
    assert planned["maps"][0]["counts"] == {"update_commerce": 2, "update_dataverse": 2}
    synced = command("sync", "--json").json
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
    assert command("sync", "--json").json["synced"] == 0
    assert project.written() == {}
    verdict = command("verify", "--json").json
    assert (verdict["equal"], verdict["differences"], verdict["drift"]) == (True, 0, 1)
    (finding,) = verdict["maps"][0]["findings"]
    assert (finding["verdict"], finding["key"]) == ("drift", drifting)


def test_generated_members(project: Project, tmp_path: Path) -> None:
    play(project, project.call, generated_list(tmp_path / "members.csv"))


@pytest.mark.slow
def test_real_members(project: Project) -> None:
    path = member_list()
    play(project, project.run, path)


def point(id: str, **values: object) -> dict[str, object]:
    """A kind of reward point as the ledger's import takes it."""
    row: dict[str, object] = {"RewardPointId": id, "RewardPointType": "Quantity"}
    return {**row, "RewardPointCurrency": "", "RedeemRanking": 0, "Redeemable": "No", **values}


def currency_id(project: Project, code: str) -> str:
    """The id of a currency in Dataverse."""
    query = {"$filter": f"isocurrencycode eq '{code}'"}
    (row,) = project.agent.get("transactioncurrencies", params=query).json()["value"]
    return str(row["transactioncurrencyid"])


def currency(project: Project, code: str) -> str:
    """A currency as a lookup is bound to it."""
    return f"transactioncurrencies({currency_id(project, code)})"


def points(project: Project) -> dict[str, dict[str, Any]]:
    """The kinds of reward points in Dataverse by id."""
    return {row["msdyn_rewardpointid"]: row for row in project.rows(POINTS)}


def test_reward_points_with_currencies_both_ways(project: Project) -> None:
    amount = {"RewardPointType": "Amount", "RewardPointCurrency": "EUR", "Redeemable": "Yes"}
    project.import_points([point("P-1", **amount), point("P-2", RedeemRanking=7)])
    theirs = {
        "msdyn_rewardpointid": "P-3",
        "msdyn_rewardpointtype": 192350001,
        "msdyn_RewardPointCurrency@odata.bind": currency(project, "USD"),
        "msdyn_expirationtimeunit": 806380001,
        "msdyn_expirationtimevalue": 18,
    }
    assert project.agent.post(POINTS, json=theirs).status_code == 204
    assert project.json("load")["loaded"] == 3
    rows = points(project)
    assert rows["P-1"]["_msdyn_rewardpointcurrency_value"] == currency_id(project, "EUR")
    assert rows["P-1"]["msdyn_rewardpointtype"] == 192350001
    assert rows["P-1"]["msdyn_redeemable"] is True
    assert rows["P-2"]["msdyn_redeemable"] is False
    assert rows["P-2"]["msdyn_redeemranking"] == 7
    here = project.ledger("P-3", "reward-points")
    assert (here["RewardPointType"], here["RewardPointCurrency"]) == ("Amount", "USD")
    assert (here["ExpirationTimeUnit"], here["ExpirationTimeValue"]) == ("Month", 18)
    id = rows["P-1"]["msdyn_loyaltyrewardpointid"]
    changed = {"msdyn_RewardPointCurrency@odata.bind": currency(project, "CAD")}
    answer = project.agent.patch(f"{POINTS}({id})", json=changed, headers={"If-Match": "*"})
    assert answer.status_code == 204, answer.text
    project.json("ledger", "set", "P-3", "RewardPointCurrency=JPY", "--entity", "reward-points")
    assert project.json("sync")["synced"] == 2
    assert project.ledger("P-1", "reward-points")["RewardPointCurrency"] == "CAD"
    wanted = currency_id(project, "JPY")
    assert points(project)["P-3"]["_msdyn_rewardpointcurrency_value"] == wanted
    project.verified()
    assert project.json("sync")["synced"] == 0


def test_a_reward_point_waits_for_its_currency(project: Project) -> None:
    gone = currency_id(project, "CHF")
    assert project.agent.delete(f"transactioncurrencies({gone})").status_code == 204
    amount = {"RewardPointType": "Amount", "RewardPointCurrency": "CHF"}
    project.import_points([point("P-1", RedeemRanking=3, **amount), point("P-2")])
    project.json("load")
    rows = points(project)
    assert rows.keys() == {"P-1", "P-2"}
    assert rows["P-1"]["msdyn_redeemranking"] == 3
    # Type and currency are one value: neither travels without the other.
    assert rows["P-1"]["msdyn_rewardpointtype"] is None
    state = {one["map"]: one for one in project.json("status")["maps"]}["loyalty-reward-points"]
    assert (state["waiting"], state["settled"]) == (1, 1)
    verdict = project.verified()
    assert verdict["excused"] == 1
    assert project.json("sync")["synced"] == 0
    franc = {"isocurrencycode": "CHF", "currencyname": "Swiss Franc", "currencysymbol": "CHF"}
    answer = project.agent.post("transactioncurrencies", json=franc)
    assert answer.status_code == 204, answer.text
    assert project.json("sync")["synced"] == 1
    row = points(project)["P-1"]
    assert row["_msdyn_rewardpointcurrency_value"] == currency_id(project, "CHF")
    assert row["msdyn_rewardpointtype"] == 192350001
    assert project.verified()["excused"] == 0


def test_a_column_that_keeps_less_causes_no_write_back(project: Project) -> None:
    project.connector.switch(
        "columns", {"table": "msdyn_loyaltycard", "column": "msdyn_partynumber", "truncate": 4}
    )
    project.connector.switch(
        "columns",
        {"table": "msdyn_loyaltyrewardpoint", "column": "msdyn_redeemranking", "round": -1},
    )
    cards = [{"CardNumber": f"M{n}", "PartyNumber": f"PARTY-{n}"} for n in range(20)]
    project.import_cards(cards)
    project.import_points([point("P-1", RedeemRanking=17)])
    assert project.json("load")["loaded"] == 21
    assert project.cards()["M7"]["msdyn_partynumber"] == "PART"
    for _ in range(2):
        assert project.json("sync")["synced"] == 0
    verdict = project.verified()
    assert (verdict["adjusted"], verdict["drift"]) == (21, 0)
    project.json("ledger", "set", "M7", "PartyNumber=OTHER-7", "--create-references")
    project.json("ledger", "set", "P-1", "RedeemRanking=24", "--entity", "reward-points")
    assert project.json("sync")["synced"] == 2
    assert project.json("sync")["synced"] == 0
    assert project.cards()["M7"]["msdyn_partynumber"] == "OTHE"
    assert points(project)["P-1"]["msdyn_redeemranking"] == 20
    assert project.ledger("M7")["PartyNumber"] == "OTHER-7"
    assert project.ledger("P-1", "reward-points")["RedeemRanking"] == 24
    assert project.verified()["adjusted"] == 21
