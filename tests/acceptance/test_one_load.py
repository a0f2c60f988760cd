"""A filter, a bad record and a missing currency in one load."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.acceptance.conftest import POINTS

if TYPE_CHECKING:
    from tests.acceptance.conftest import Project

MAP = "loyalty-reward-points"
FILTER = "RewardPointId ne 'TEST' and RedeemRanking lt 1000"
EVERY_UNIT = "{Day: 806380000, Month: 806380001, Year: 806380002}\n    together: expiry"


def points(count: int) -> list[dict[str, object]]:
    """Reward points of every sort: every fifth in Norwegian kroner."""
    plain = {
        "RewardPointType": "Quantity",
        "RewardPointCurrency": "",
        "RedeemRanking": 1,
        "ExpirationTimeUnit": "Month",
        "ExpirationTimeValue": 6,
    }
    amount = {"RewardPointType": "Amount", "RewardPointCurrency": "NOK"}
    rows = [{**plain, "RewardPointId": f"P-{n:03}"} for n in range(count)]
    return [{**row, **(amount if n % 5 == 0 else {})} for n, row in enumerate(rows)]


def test_a_filter_a_bad_record_and_a_missing_currency(project: Project) -> None:
    file = project.folder / "mappings" / f"{MAP}.yaml"
    text = file.read_text("utf-8")
    assert EVERY_UNIT in text
    text = text.replace(", Year: 806380002}\n    together: expiry", "}\n    together: expiry")
    entity = "commerce: {entity: RetailLoyaltyRewardPoints"
    file.write_text(text.replace(f"{entity}}}", f'{entity}, filter: "{FILTER}"}}'), "utf-8")
    left_out = [
        {**points(1)[0], "RewardPointId": "TEST", "RewardPointType": "Quantity"},
        {**points(1)[0], "RewardPointId": "RANKED", "RedeemRanking": 5000},
    ]
    bad = {**points(2)[1], "RewardPointId": "BAD", "ExpirationTimeUnit": "Year"}
    project.import_points([*points(200), *left_out, bad])
    gone = project.agent.delete("transactioncurrencies(isocurrencycode='NOK')")
    assert gone.status_code == 204, gone.text

    told = project.json("load", "--map", MAP, code=3)
    assert told["finished"] is True
    assert told["needs"] == [{"map": MAP, "kind": "parked", "count": 1}]
    rows = {row["msdyn_rewardpointid"]: row for row in project.rows(POINTS)}
    good = {str(row["RewardPointId"]) for row in points(200)}
    assert set(rows) == good  # the waiting ones too, all but what waits
    waiting = {str(row["RewardPointId"]) for row in points(200)[::5]}
    assert all(rows[key]["_msdyn_rewardpointcurrency_value"] is None for key in waiting)
    assert all(rows[key]["msdyn_rewardpointtype"] is None for key in waiting)
    assert {rows[key]["msdyn_rewardpointtype"] for key in good - waiting} == {192350000}

    (failure,) = project.json("failures", "list")["failures"]
    assert failure["key"] == "BAD"
    assert failure["problem"]["code"] == "choice-unknown"
    assert "Year" in failure["problem"]["message"]
    (state,) = project.json("status", "--map", MAP, code=3)["maps"]
    assert (state["waiting"], state["parked"]) == (40, 1)

    project.json("sync", "--map", MAP, code=3)
    assert project.json("status", "--map", MAP, code=3)["maps"][0]["waiting"] == 40
    answer = project.agent.post(
        "transactioncurrencies",
        json={"isocurrencycode": "NOK", "currencyname": "Norwegian krone", "currencysymbol": "kr"},
    )
    assert answer.status_code == 204, answer.text
    told = project.json("sync", "--map", MAP, code=3)
    assert told["synced"] == 40
    rows = {row["msdyn_rewardpointid"]: row for row in project.rows(POINTS)}
    assert set(rows) == good
    assert {rows[key]["msdyn_rewardpointtype"] for key in waiting} == {192350001}
    assert all(rows[key]["_msdyn_rewardpointcurrency_value"] for key in waiting)

    verdict = project.json("verify", "--map", MAP)
    assert verdict["equal"] is True
    assert verdict["excused"] == 1
    assert project.json("sync", "--map", MAP, code=3)["synced"] == 0
