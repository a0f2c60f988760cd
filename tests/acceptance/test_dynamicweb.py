"""A Dynamicweb shop as the commerce side: check, load, edits on both sides, sync, verify."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from connector.endpoints.dynamicweb.schema import tables
from tests.acceptance.conftest import POINTS, Project, make_project

if TYPE_CHECKING:
    from tests.conftest import SignIn

REWARDS, CARDS = "dynamicweb-reward-points", "dynamicweb-cards"


@dataclass
class Shop:
    """The shop's own side of its database."""

    engine: sa.Engine

    def execute(self, statement: str, **values: object) -> None:
        with self.engine.begin() as connection:
            connection.execute(sa.text(statement), values)

    def add_reward(self, name: str) -> None:
        self.execute(
            "INSERT INTO EcomLoyaltyReward (LoyaltyRewardName, LoyaltyRewardActive, "
            "LoyaltyRewardArchived, LoyaltyRewardPoints) VALUES (:name, 1, 0, 10.5)",
            name=name,
        )

    def book(self, user: int, points: float) -> None:
        self.execute(
            "INSERT INTO EcomLoyaltyUserTransaction (LoyaltyUserTransactionUserId, "
            "LoyaltyUserTransactionPoints, LoyaltyUserTransactionDate) "
            "VALUES (:user, :points, '2024-05-01 12:00:00.000000')",
            user=user,
            points=points,
        )

    def rewards(self) -> dict[str, dict[str, Any]]:
        """The rewards by name, archived ones left out."""
        query = sa.text("SELECT * FROM EcomLoyaltyReward WHERE LoyaltyRewardArchived = 0")
        with self.engine.connect() as connection:
            rows = [dict(row) for row in connection.execute(query).mappings()]
        by_name = {row["LoyaltyRewardName"]: row for row in rows}
        assert len(by_name) == len(rows)
        return by_name


@pytest.fixture
def both(
    tmp_path: Path,
    sandbox: dict[str, Any],
    sign_in: SignIn,
    capsys: pytest.CaptureFixture[str],
) -> Iterator[tuple[Project, Shop]]:
    project = make_project(tmp_path / "project", sandbox, sign_in)
    capsys.readouterr()
    project.connector.switch("reset")
    url = f"sqlite:///{tmp_path / 'shop.db'}"
    engine = sa.create_engine(url)
    tables().metadata.create_all(engine)
    project.environment["DUALWRITE__COMMERCE__KIND"] = "dynamicweb"
    project.environment["DUALWRITE__COMMERCE__URL"] = url
    maps = project.folder / "mappings"
    for name in (REWARDS, CARDS):
        text = (maps / f"{name}.yaml").read_text()
        assert "enabled: false" in text
        (maps / f"{name}.yaml").write_text(text.replace("enabled: false", "enabled: true"))
    for name in ("loyalty-card", "loyalty-reward-points"):
        (maps / f"{name}.yaml").unlink()
    yield project, Shop(engine)
    project.end()
    engine.dispose()


def points(project: Project) -> dict[str, dict[str, Any]]:
    """The kinds of points in Dataverse by their id."""
    return {row["msdyn_rewardpointid"]: row for row in project.rows(POINTS)}


def delete_point(project: Project, name: str) -> None:
    id = points(project)[name]["msdyn_loyaltyrewardpointid"]
    answer = project.agent.delete(f"{POINTS}({id})")
    assert answer.status_code == 204, answer.text


def test_the_whole_story(both: tuple[Project, Shop]) -> None:
    project, shop = both
    for name in ("Gold", "Silver", "Bronze"):
        shop.add_reward(name)
    for user in range(1, 8):
        shop.book(user, 10.0 * user)
    checked = project.json("check")
    assert checked["problems"] == []
    loaded = project.json("load")
    assert (loaded["finished"], loaded["loaded"]) == (True, 10)
    project.verified()
    assert points(project).keys() == {"Gold", "Silver", "Bronze"}
    cards = project.cards()
    assert cards.keys() == {str(user) for user in range(1, 8)}
    assert cards["3"]["msdyn_enrollmentdate"].startswith("2024-05-01")

    shop.execute(
        "UPDATE EcomLoyaltyReward SET LoyaltyRewardArchived = 1 WHERE LoyaltyRewardName = 'Silver'"
    )
    shop.add_reward("Platinum")
    shop.book(42, 1.0)
    delete_point(project, "Bronze")
    born = {
        "msdyn_rewardpointid": "From CRM",
        "msdyn_rewardpointtype": 192350000,
        "msdyn_redeemable": True,
    }
    assert project.agent.post(POINTS, json=born).status_code == 204
    planned = project.json("plan")["writes"]
    assert project.json("plan")["writes"] == planned > 0  # it left nothing behind
    synced = project.json("sync")
    assert synced["finished"] is True
    project.verified()
    assert points(project).keys() == {"Gold", "Platinum", "From CRM"}
    rewards = shop.rewards()
    assert rewards.keys() == {"Gold", "Bronze", "Platinum", "From CRM"}
    assert rewards["Bronze"]["LoyaltyRewardActive"] == 0
    assert rewards["Bronze"]["LoyaltyRewardPoints"] == 10.5
    assert "42" in project.cards()
    assert project.json("sync")["synced"] == 0


def test_a_table_that_reads_as_empty_stops_the_map(both: tuple[Project, Shop]) -> None:
    """As where the database user lost the right to see its rows: nothing is deleted in CRM."""
    project, shop = both
    for number in range(5):
        shop.add_reward(f"Reward {number}")
    project.json("load", "--map", REWARDS)
    shop.execute("UPDATE EcomLoyaltyReward SET LoyaltyRewardArchived = 1")
    stopped = project.json("sync", "--map", REWARDS, code=3)
    assert "scan-empty" in str(stopped)
    assert len(points(project)) == 5
    project.json("maps", "resume", REWARDS, "--allow-deletes", "5")
    project.json("sync", "--map", REWARDS)
    assert points(project) == {}


def test_many_deletes_at_once_stop_the_map(both: tuple[Project, Shop]) -> None:
    project, shop = both
    for number in range(8):
        shop.add_reward(f"Reward {number}")
    project.json("load", "--map", REWARDS)
    shop.execute("UPDATE EcomLoyaltyReward SET LoyaltyRewardArchived = 1 WHERE LoyaltyRewardId > 4")
    stopped = project.json("sync", "--map", REWARDS, code=3)
    assert "delete" in str(stopped)
    assert len(points(project)) == 6  # from the third on, the share counts


def test_a_lost_folder_of_snapshots_costs_a_full_read(both: tuple[Project, Shop]) -> None:
    project, shop = both
    for number in range(3):
        shop.add_reward(f"Reward {number}")
    project.json("load", "--map", REWARDS)
    snapshots = project.folder / "var" / "snapshots"
    assert snapshots.is_dir()
    for path in sorted(snapshots.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    shop.add_reward("New")
    shop.execute("UPDATE EcomLoyaltyReward SET LoyaltyRewardArchived = 1 WHERE LoyaltyRewardId = 1")
    project.json("sync", "--map", REWARDS)
    assert points(project).keys() == {"Reward 1", "Reward 2", "New"}


def test_a_shop_that_is_not_there_is_named(both: tuple[Project, Shop]) -> None:
    project, _ = both
    project.environment["DUALWRITE__COMMERCE__URL"] = "sqlite:///nowhere.db"
    result = project.call("check", "--json", code=None)
    assert result.code == 2
    assert "shop-url" in result.stdout


# ---------------------------------------------------------------------------- kill -9

COUNT = 200


@pytest.mark.slow
def test_a_load_and_a_sync_that_are_killed_end_as_if_they_had_not(
    both: tuple[Project, Shop],
) -> None:
    """Killed while it reads, while it writes, and after its reply got lost: no row twice."""
    project, shop = both
    for number in range(COUNT):
        shop.add_reward(f"Shop {number}")
    born = [
        {
            "msdyn_rewardpointid": f"CRM {n}",
            "msdyn_rewardpointtype": 192350000,
            "msdyn_redeemable": True,
            "@odata.type": "Microsoft.Dynamics.CRM.msdyn_loyaltyrewardpoint",
        }
        for n in range(COUNT)
    ]
    url = f"{POINTS}/Microsoft.Dynamics.CRM.CreateMultiple"
    assert project.agent.post(url, json={"Targets": born}).status_code == 200
    kill_until_done(project, "load", "--map", REWARDS)
    names = {f"{side} {n}" for side in ("Shop", "CRM") for n in range(COUNT)}
    assert shop.rewards().keys() == points(project).keys() == names
    project.verified()

    for number in range(40):
        shop.add_reward(f"Later {number}")
    for number in range(20):
        delete_point(project, f"CRM {number}")
    shop.execute(
        "UPDATE EcomLoyaltyReward SET LoyaltyRewardArchived = 1 "
        "WHERE LoyaltyRewardName IN ('Shop 1', 'Shop 2', 'Shop 3')"
    )
    kill_until_done(project, "sync", "--map", REWARDS)
    project.verified()
    names = names - {"Shop 1", "Shop 2", "Shop 3"} | {f"Later {n}" for n in range(40)}
    assert points(project).keys() == names - {f"CRM {n}" for n in range(20)}
    rewards = shop.rewards()
    assert rewards.keys() == names
    assert all(not rewards[f"CRM {n}"]["LoyaltyRewardActive"] for n in range(20))
    assert project.json("sync", "--map", REWARDS)["synced"] == 0


def kill_until_done(project: Project, *words: str) -> None:
    """Run a command that dies later each time, until it ends by itself."""
    for attempt in range(14):
        process = project.start(*words)
        try:
            _, errors = process.communicate(timeout=1.0 * 1.4**attempt)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            continue
        # It may have been killed when all was done but saying so.
        assert process.returncode == 0 or b"map-loaded" in errors, errors.decode()
        return
    raise AssertionError("it never ended")


ONCE = """\
map: kinds-for-the-shop
mode: append
commerce: {entity: EcomLoyaltyReward}
dataverse: {entity: msdyn_loyaltyrewardpoints}
fields:
  - {commerce: LoyaltyRewardName, sync: "<", dataverse: msdyn_rewardpointid, key: true}
"""


def test_rows_are_not_added_once_where_the_shop_takes_them_twice(
    both: tuple[Project, Shop],
) -> None:
    project, shop = both
    (project.folder / "mappings" / "kinds-for-the-shop.yaml").write_text(ONCE, "utf-8")
    one = ("--map", "kinds-for-the-shop")
    (problem,) = (
        found for found in project.json("check", code=2)["problems"] if found["severity"] == "error"
    )
    assert problem["code"] == "append-unsafe"
    assert (problem["subject"]["map"], problem["subject"]["line"]) == ("kinds-for-the-shop", 2)
    assert "looks before it sends again" in problem["remedy"]
    refused = project.json("load", *one, code=2)
    assert refused["maps"][0]["error"]["code"] == "append-unsafe"
    assert shop.rewards() == {}
