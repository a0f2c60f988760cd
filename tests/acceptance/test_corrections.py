"""An agent files corrections of points in CRM, and reads there what came of them."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Mapping
from contextlib import closing
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from tests.acceptance.conftest import CARDS, POINTS
from tests.conftest import PATIENCE

if TYPE_CHECKING:
    from tests.acceptance.conftest import Project

TABLE = "dwrite_pointcorrections"
LIMITS = """
[corrections]
per_request = 100
per_card_day = 150
"""


KILLED = """
import os, signal
from connector.cli.app import run
from connector.endpoints.ledger.endpoint import LedgerEndpoint

write = LedgerEndpoint.write

def and_die(self, entity, columns, operations):
    write(self, entity, columns, operations)  # the ledger has committed
    os.kill(os.getpid(), signal.SIGKILL)

LedgerEndpoint.write = and_die
run(["sync"])
"""


class Desk:
    """A help desk that may correct points, with one card that has 20 of them."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self._names: dict[str, str] = {}

    def switch_on(self, *maps: str) -> None:
        """Maps that are delivered off."""
        for name in maps:
            path = self.project.folder / f"mappings/{name}.yaml"
            text = path.read_text("utf-8")
            path.write_text(text.replace("enabled: false", "enabled: true"), "utf-8")

    def open(self) -> None:
        """Cards, kinds and the table of requests on both sides."""
        project = self.project
        self.switch_on("point-corrections")
        config = project.folder / "config/connector.toml"
        config.write_text(config.read_text("utf-8") + LIMITS, "utf-8")
        project.import_cards(
            [
                {"CardNumber": "C1", "CardTenderType": "AsCardTender"},
                {"CardNumber": "C2", "CardTenderType": "Blocked"},
            ]
        )
        project.import_points(
            [{"RewardPointId": "Bonus", "RewardPointType": "Quantity", "Redeemable": "Yes"}]
        )
        project.json("ledger", "adjust", "C1", "Bonus", "20", "--comment", "a start")
        project.json("provision")
        project.json("load")

    def file(self, card: str | None = "C1", **values: object) -> str:
        """An agent files a request; its id."""
        kind = self._id(POINTS, "rewardpointid", "Bonus")
        row: dict[str, object] = {
            "dwrite_name": "Waited too long",
            "dwrite_amount": 50,
            "dwrite_reason": "The till was down.\nPaid in cash.",
            "dwrite_PointKind@odata.bind": f"/{POINTS}({kind})",
            "dwrite_pointcorrectionid": str(uuid4()),
            **values,
        }
        if card is not None:
            row["dwrite_Card@odata.bind"] = f"/{CARDS}({self._id(CARDS, 'cardnumber', card)})"
        answer = self.project.agent.post(TABLE, json=row)
        assert answer.status_code == 204, answer.text
        return str(row["dwrite_pointcorrectionid"])

    def edit(self, request: str, **values: object) -> None:
        """The agent changes a request."""
        answer = self.project.agent.patch(
            f"{TABLE}({request})", json=values, headers={"If-Match": "*"}
        )
        assert answer.status_code == 204, answer.text

    def read(self, request: str) -> Mapping[str, Any]:
        """The row as the agent sees it."""
        headers = {"Prefer": 'odata.include-annotations="*"'}
        row = self.project.agent.get(f"{TABLE}({request})", headers=headers).json()
        status = row.get("dwrite_status@OData.Community.Display.V1.FormattedValue")
        return {
            "status": status,
            **{
                name: row[f"dwrite_{name}"]
                for name in ("outcome", "postedpoints", "newbalance", "postedat", "entry")
            },
        }

    def available(self) -> float:
        """What the ledger says the card has."""
        (held,) = self.project.json("ledger", "balance", "C1")["balances"]
        return float(held["available"])

    def sync(self, code: int = 0) -> dict[str, Any]:
        return self.project.json("sync", code=code)

    def _id(self, table: str, column: str, key: str) -> str:
        if key not in self._names:
            where = f"msdyn_{column} eq '{key}'"
            (row,) = self.project.agent.get(table, params={"$filter": where}).json()["value"]
            self._names[key] = str(row[f"{table.removesuffix('s')}id"])
        return self._names[key]


@pytest.fixture
def desk(project: Project, one_day: None) -> Desk:
    made = Desk(project)
    made.open()
    return made


def test_an_agent_files_a_correction_and_sees_it_posted(desk: Desk) -> None:
    request = desk.file()
    assert desk.sync()["finished"]
    seen = desk.read(request)
    assert seen["status"] == "Posted"
    assert seen["outcome"].startswith("50 points added. The card then had 70 points")
    assert (seen["postedpoints"], seen["newbalance"]) == (50, 70)
    assert seen["postedat"] is not None
    entries = desk.project.json("ledger", "transactions", "C1")["entries"]
    assert entries[0]["number"] == int(seen["entry"])
    assert entries[0]["why"].startswith("correction requested by ")
    assert desk.sync()["synced"] == 0
    (kept,) = desk.project.json("ledger", "list", "--entity", "corrections")["records"]
    # The answer that was written into the row since is nobody's edit.
    assert kept["values"]["EditedBy"] == kept["values"]["RequestedBy"] == "agent@sandbox.example"
    assert desk.project.verified()["excused"] == 0
    assert desk.available() == 70


def test_one_sync_brings_the_outcome_the_transaction_and_the_balance(desk: Desk) -> None:
    project = desk.project
    project.environment["DUALWRITE__MAPS__AT_ONCE"] = "1"  # in the order that several keep as well
    desk.switch_on("point-balances", "point-transactions")
    project.json("provision")
    project.json("load")
    request = desk.file()
    desk.sync()
    seen = desk.read(request)
    assert (seen["status"], seen["newbalance"]) == ("Posted", 70)
    entries = {row["dwrite_transactionnumber"] for row in project.rows("dwrite_pointtransactions")}
    assert seen["entry"] in entries
    (balance,) = project.rows("dwrite_pointbalances")
    assert balance["dwrite_available"] == 70
    assert desk.sync()["synced"] == 0


def test_a_refusal_is_read_in_the_row_and_can_be_put_right(desk: Desk) -> None:
    refused = {
        "No card is named.": desk.file(None),
        "This card is blocked.": desk.file("C2"),
        "The amount is 0": desk.file(dwrite_amount=0),
        "101 points are more than one request": desk.file(dwrite_amount=101),
        "Points of the kind Bonus are counted whole": desk.file(dwrite_amount=0.5),
        "The card has 20 points of this kind at hand, 21": desk.file(dwrite_amount=-21),
        "There is no reason.": desk.file(dwrite_reason=None),
        "No kind of points is named.": desk.file(**{"dwrite_PointKind@odata.bind": None}),
    }
    desk.sync()
    for words, request in refused.items():
        seen = desk.read(request)
        assert (seen["status"], seen["outcome"].startswith(words)) == ("Refused", True), seen
    assert desk.available() == 20
    wrong = refused["101 points are more than one request"]
    desk.edit(wrong, dwrite_amount=100)
    desk.sync()
    assert (desk.read(wrong)["status"], desk.read(wrong)["newbalance"]) == ("Posted", 120)
    # Of the 150 points this card may get on one day, 50 are left.
    over = desk.file(dwrite_amount=51)
    desk.sync()
    assert "100 are posted today, 50 are left" in desk.read(over)["outcome"]
    assert desk.project.verified()["excused"] == 0


def test_what_is_posted_stays_whatever_becomes_of_the_request(desk: Desk) -> None:
    request = desk.file()
    desk.sync()
    desk.edit(request, dwrite_amount=90)
    desk.sync()
    seen = desk.read(request)
    assert (seen["postedpoints"], seen["newbalance"], desk.available()) == (50, 70, 70)
    assert seen["outcome"].endswith("File a new request for any further correction.")
    assert desk.sync()["synced"] == 0
    refused = desk.file(dwrite_amount=0)
    desk.sync()
    for one in (refused, request):
        assert desk.project.agent.delete(f"{TABLE}({one})").status_code == 204
    desk.sync(code=3)
    (failure,) = desk.project.json("failures", "list")["failures"]
    assert failure["problem"]["code"] == "commerce-refused"
    assert "this correction is posted: the record of it stays" in failure["problem"]["message"]
    assert desk.available() == 70


@pytest.mark.parametrize("column", ["domainname", "systemuserid"])
def test_only_people_of_the_config_may_ask(desk: Desk, column: str) -> None:
    me = desk.project.agent.get("WhoAmI").json()["UserId"]
    name = desk.project.agent.get(f"systemusers({me})").json()[column]
    file = desk.project.folder / "mappings/point-corrections.yaml"
    text = file.read_text("utf-8").replace("by.domainname", f"by.{column}")
    file.write_text(text, "utf-8")
    config = desk.project.folder / "config/connector.toml"
    others = config.read_text("utf-8") + '[[corrections.people]]\nname = "robin"\n'
    config.write_text(others, "utf-8")
    request = desk.file()
    desk.sync()
    assert desk.read(request)["outcome"].startswith(f"{name} may not correct points.")
    config.write_text(f'{others}[[corrections.people]]\nname = "{name}"\n', "utf-8")
    desk.edit(request, dwrite_reason="Robin is ill.")
    desk.sync()
    assert desk.read(request)["status"] == "Posted"
    assert "corrections-kind-unknown" not in desk.project.call("check", code=None).stdout


@pytest.mark.parametrize("edited", [False, True])
def test_killed_between_the_two_commits_it_is_posted_once(desk: Desk, edited: bool) -> None:
    request = desk.file(dwrite_amount=500 if edited else 50)
    if edited:
        desk.sync()
        desk.edit(request, dwrite_amount=50)
    done = subprocess.run(
        [sys.executable, "-c", KILLED],
        cwd=desk.project.folder,
        env={**os.environ, **desk.project.environment},
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL
    assert desk.available() == 70
    assert desk.read(request)["status"] == ("Refused" if edited else None)
    desk.sync()
    assert (desk.read(request)["status"], desk.read(request)["newbalance"]) == ("Posted", 70)
    assert desk.sync()["synced"] == 0
    assert desk.available() == 70
    assert desk.project.verified()["excused"] == 0


def test_a_ledger_restored_from_a_backup_gets_its_corrections_again(desk: Desk) -> None:
    folder = desk.project.folder / "var"
    desk.file(dwrite_amount=10)
    desk.sync()
    with closing(sqlite3.connect(folder / "ledger.db")) as ledger:
        ledger.execute("VACUUM INTO ?", (str(folder / "backup.db"),))
    request = desk.file()
    desk.sync()
    assert desk.sync()["synced"] == 0
    assert desk.available() == 80
    for name in ("ledger.db", "ledger.db-wal", "ledger.db-shm"):
        (folder / name).unlink(missing_ok=True)
    (folder / "backup.db").rename(folder / "ledger.db")
    assert desk.available() == 30
    desk.sync()
    assert desk.available() == 80
    assert (desk.read(request)["status"], desk.read(request)["newbalance"]) == ("Posted", 80)
    assert desk.project.verified()["excused"] == 0
