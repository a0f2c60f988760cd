"""Finance and Operations as the commerce side: check, load, edits on both sides, sync, verify."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.acceptance.conftest import Project
from tests.acceptance.finops_project import Shop, finops_project
from tests.acceptance.living import until
from tests.acceptance.test_kill import HELD
from tests.conftest import PATIENCE

if TYPE_CHECKING:
    from tests.conftest import FinopsSession, SignIn

COUNT = 30
POINTS = "RetailLoyaltyRewardPoints"
ODD = "O'Brien / 50%"
BORN_POINTS = {
    "msdyn_rewardpointid": ODD,
    "msdyn_rewardpointtype": 192350001,
    "msdyn_redeemable": False,
    "msdyn_redeemranking": 1,
    "msdyn_expirationtimeunit": 806380001,
    "msdyn_expirationtimevalue": 12,
    "msdyn_vestingtimeunit": 806380000,
    "msdyn_vestingtimevalue": 0,
    "msdyn_maximumloyaltyrewardpoints": 500,
}


def cards(count: int, start: int = 55_000) -> list[dict[str, object]]:
    return [
        {
            "CardNumber": f"{start + n}",
            "CardTenderType": "Blocked" if n % 3 == 0 else "AsCardTender",
            "PartyNumber": f"P00000000{1 + n % 6}" if n % 2 else "",
            "LoyaltyEnrollmentDate": f"2024-{1 + n % 12:02}-01T12:00:00Z",
            "LoyaltyEnrollmentDateLocal": f"2024-{1 + n % 12:02}-01T12:00:00Z",
        }
        for n in range(count)
    ]


@pytest.fixture
def both(
    tmp_path: Path,
    sandbox: dict[str, Any],
    finops: FinopsSession,  # empties the environment
    sign_in: SignIn,
    capsys: pytest.CaptureFixture[str],
) -> Iterator[tuple[Project, Shop]]:
    project, shop = finops_project(tmp_path / "project", sandbox, sign_in)
    capsys.readouterr()
    project.connector.switch("reset")
    yield project, shop
    project.end()
    shop.clerk.close()


def test_the_whole_story(both: tuple[Project, Shop]) -> None:
    project, shop = both
    shop.put(cards(COUNT))
    bonus = {"RewardPointId": "Bonus", "Redeemable": "Yes", "RewardPointCurrency": "USD"}
    assert shop.clerk.post(POINTS, json=bonus).status_code == 201
    assert project.json("check")["problems"] == []
    loaded = project.json("load")
    assert loaded["finished"] is True
    assert loaded["loaded"] == COUNT + 1
    assert project.verified()["compared"] == COUNT + 1
    assert len(project.cards()) == COUNT

    shop.edit("55001", CardTenderType="NoTender")
    shop.remove("55002")
    shop.put(cards(1, 56_000))
    project.edit("55003", msdyn_cardtendertype=806380001)
    born = {"msdyn_cardnumber": "57000", "msdyn_cardtendertype": 806380000}
    assert project.agent.post("msdyn_loyaltycards", json=born).status_code == 204
    answer = project.agent.post("msdyn_loyaltyrewardpoints", json=BORN_POINTS)
    assert answer.status_code == 204, answer.text
    more = {"MaximumLoyaltyRewardPoints": 2**31 - 1}
    done = shop.clerk.patch(f"{POINTS}('Bonus')", json=more, headers={"If-Match": "*"})
    assert done.status_code == 204
    synced = project.json("sync")
    assert synced["finished"] is True
    project.verified()
    there, here = shop.cards(), project.cards()
    assert here["55001"]["msdyn_cardtendertype"] == 806380002
    assert "55002" not in here
    assert there["55003"]["CardTenderType"] == "AsContactTender"
    assert there["57000"]["CardTenderType"] == "AsCardTender"
    assert there.keys() == here.keys()
    kinds = {one["RewardPointId"]: one for one in shop.clerk.get(POINTS).json()["value"]}
    assert (kinds[ODD]["RewardPointType"], kinds[ODD]["ExpirationTimeUnit"]) == ("Amount", "Month")
    points = {one["msdyn_rewardpointid"]: one for one in project.rows("msdyn_loyaltyrewardpoints")}
    assert points.keys() == kinds.keys()
    assert points["Bonus"]["msdyn_maximumloyaltyrewardpoints"] == 2**31 - 1
    assert points["Bonus"]["_msdyn_rewardpointcurrency_value"] is not None
    assert project.json("sync")["synced"] == 0


# ---------------------------------------------------------------------------- kill -9

MANY = 500
"""Cards in Dataverse, which reach the other side in half a dozen requests."""


def bear(project: Project, count: int) -> None:
    """A person's tool enters cards in Dataverse."""
    targets = [
        {
            "@odata.type": "Microsoft.Dynamics.CRM.msdyn_loyaltycard",
            "msdyn_cardnumber": f"D{n:05}",
            "msdyn_cardtendertype": 806380000 + n % 4,
            "msdyn_enrollmentdate": "2024-02-29",
            "msdyn_effectivedate": "2024-02-29",
        }
        for n in range(count)
    ]
    for start in range(0, count, 1000):
        url = "msdyn_loyaltycards/Microsoft.Dynamics.CRM.CreateMultiple"
        answer = project.agent.post(url, json={"Targets": targets[start : start + 1000]})
        assert answer.status_code == 200, answer.text


def kill(project: Project, shop: Shop, command: str, path: str, number: int) -> None:
    """Kill a command while its `number`-th request to such a path is held up.

    What was under way then arrives, although nobody waits for its answer.
    """
    held = {"kind": "slow", "seconds": HELD, "path": path, "after": number - 1, "count": 10**6}
    shop.clerk.switch("faults", held)
    before = asked(shop, path)
    process = project.start(command, "--json")
    until(f"{path}, {number} times", lambda: asked(shop, path) - before >= number)
    process.send_signal(signal.SIGKILL)
    assert process.wait(PATIENCE) == -signal.SIGKILL
    shop.clerk.disarm()


def asked(shop: Shop, path: str) -> int:
    """Requests to the environment whose kind names a path."""
    return sum(int(count) for kind, count in shop.clerk.told()["kinds"].items() if path in kind)


def test_the_latest_edit_cannot_win_where_nobody_tells_when_it_was(
    both: tuple[Project, Shop], monkeypatch: pytest.MonkeyPatch
) -> None:
    project, _ = both
    overlay = project.folder / "mappings/overlays/test/loyalty-card.yaml"
    overlay.parent.mkdir(parents=True)
    overlay.write_text("master: dataverse\nconflict: latest\n", "utf-8")
    monkeypatch.setenv("DUALWRITE__MAPS__ENVIRONMENT", "test")
    (problem,) = project.json("check", code=2)["problems"]
    assert problem["code"] == "latest-without-time"
    assert problem["subject"]["file"] == "mappings/overlays/test/loyalty-card.yaml"
    assert problem["subject"]["line"] == 2


@pytest.mark.slow
def test_killed_at_every_stage(both: tuple[Project, Shop]) -> None:
    """While it reads, while it creates, while it updates: the same command ends the same."""
    project, shop = both
    # Small batches: most are not on their way yet when the second is held up.
    project.environment["DUALWRITE__COMMERCE__BATCH_SIZE"] = "20"
    shop.put(cards(COUNT))
    bear(project, MANY)
    kill(project, shop, "load", "RetailLoyalty", 1)
    kill(project, shop, "load", "$batch", 2)
    assert COUNT < len(shop.cards()) < COUNT + MANY
    assert project.json("load")["finished"] is True
    assert project.verified()["compared"] == COUNT + MANY
    assert len(shop.cards()) == len(project.cards()) == COUNT + MANY

    project.edit_all(
        {f"D{n:05}": {"msdyn_cardtendertype": 806380000 + (n + 1) % 4} for n in range(0, MANY, 2)}
    )
    shop.edit("D00001", CardTenderType="NoTender")
    shop.remove("D00003")
    kill(project, shop, "sync", "RetailLoyalty", 1)
    kill(project, shop, "sync", "$batch", 2)
    assert project.json("sync")["finished"] is True
    assert project.verified()["compared"] == COUNT + MANY - 1
    there, here = shop.cards(), project.cards()
    assert there.keys() == here.keys()
    assert there["D00000"]["CardTenderType"] == "AsContactTender"
    assert here["D00001"]["msdyn_cardtendertype"] == 806380002
    assert project.json("sync")["synced"] == 0
