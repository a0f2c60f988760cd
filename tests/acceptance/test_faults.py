"""What goes wrong on the wire and between processes: no edit lost, none doubled."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from tests.acceptance.conftest import members
from tests.acceptance.test_kill import BATCH, CREATE, HELD, wait_until
from tests.conftest import PATIENCE

if TYPE_CHECKING:
    from tests.acceptance.conftest import Project

FAULTS: list[dict[str, object]] = [
    {"kind": "throttle", "retry_after": 1},
    {"kind": "unavailable"},
    {"kind": "unavailable", "retry_after": 1},
    {"kind": "unauthorized"},
    {"kind": "lost-reply"},
]


@pytest.fixture
def no_waiting(project: Project) -> None:
    """Backoff takes no time; Retry-After does, because a sandbox means it."""
    project.environment["DUALWRITE__RETRY__FIRST_WAIT"] = "0"


@pytest.mark.usefixtures("no_waiting")
@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_a_fault_in_every_sort_of_write(project: Project, fault: dict[str, object]) -> None:
    project.import_cards(members(30))
    project.fault(**fault, path="CreateMultiple")
    assert project.json("load")["finished"] is True
    assert len(project.cards()) == 30
    project.verified()

    project.edit("M100001", msdyn_cardtendertype=806380002)
    project.import_cards([{"CardNumber": "M100002", "ReplacementCardNumber": "EDITED"}])
    project.import_cards(members(3, start=200_000))
    project.json("ledger", "delete", "M100004")
    project.fault(**fault, path="$batch")
    project.fault(**fault, path="CreateMultiple")
    project.json("sync")
    project.json("sync")
    cards = project.cards()
    assert len(cards) == 32
    assert cards["M100002"]["msdyn_replacementcardnumber"] == "EDITED"
    assert project.ledger("M100001")["CardTenderType"] == "NoTender"
    assert "M100004" not in cards
    project.verified()
    assert project.json("sync")["synced"] == 0


@pytest.mark.usefixtures("no_waiting")
@pytest.mark.parametrize("path", ["deltatoken", "loyaltycards?", "EntityDefinitions", "WhoAmI"])
def test_reads_are_tried_again(project: Project, path: str) -> None:
    project.import_cards(members(5))
    project.json("load")
    project.edit("M100001", msdyn_cardtendertype=806380002)
    for kind in ("throttle", "unavailable", "lost-reply"):
        project.fault(kind=kind, path=path, **({"retry_after": 3} if kind == "throttle" else {}))
    began = time.monotonic()
    project.json("sync")
    assert project.ledger("M100001")["CardTenderType"] == "NoTender"
    if path == "deltatoken":
        assert time.monotonic() - began >= 3.0, "Retry-After is waited for"


@pytest.mark.usefixtures("no_waiting")
def test_a_service_that_stays_away_is_exit_4_and_nothing_is_lost(project: Project) -> None:
    project.import_cards(members(5))
    project.json("load")
    project.import_cards([{"CardNumber": "M100002", "ReplacementCardNumber": "EDITED"}])
    project.fault(kind="unavailable", count=1000)
    error = project.call("sync", "--json", code=4).error
    assert error["code"] == "unavailable"
    assert error["subject"] == {"side": "dataverse"}
    project.forget_requests()
    assert project.json("sync")["synced"] == 1
    project.verified()


def test_an_expired_delta_token_becomes_a_full_scan(project: Project) -> None:
    project.import_cards(members(40))
    project.json("load")
    project.edit("M100001", msdyn_cardtendertype=806380002)
    project.agent.delete(f"msdyn_loyaltycards({project.cards_id('M100002')})")
    project.import_cards([{"CardNumber": "M100003", "ReplacementCardNumber": "EDITED"}])
    project.connector.switch("expire-tokens")
    planned = project.json("plan")
    synced = project.json("sync")
    assert synced["synced"] == planned["writes"] == 3
    assert project.ledger("M100001")["CardTenderType"] == "NoTender"
    assert len(project.cards()) == 40
    project.verified()
    assert project.json("sync")["synced"] == 0


@pytest.mark.usefixtures("no_waiting")
@pytest.mark.parametrize("command", ["load", "plan", "sync", "verify", "check"])
def test_a_side_that_is_not_there(project: Project, command: str) -> None:
    project.import_cards(members(1))
    environment = {
        "DUALWRITE__DATAVERSE__URL": "https://127.0.0.1:9",
        "DUALWRITE__DATAVERSE__AUTHORITY": "https://127.0.0.1:9/tenant",
    }
    if command == "check":
        told = project.call("check", "--json", code=4, **environment).json["problems"][0]
    else:
        told = project.call(command, "--json", code=4, **environment).error
        assert told["cause"]
    assert told["code"] == "authority-unreachable"
    assert told["subject"]["side"] == "dataverse"
    assert "127.0.0.1:9" in told["message"]


@pytest.mark.slow
def test_a_second_process_is_sent_away(project: Project) -> None:
    project.import_cards(members(10))
    project.fault(kind="slow", method="POST", path="CreateMultiple", seconds=HELD)
    first = project.start("load", "--map", "loyalty-card", "--json")
    wait_until(project, CREATE, 1)
    told = project.call("load", "--map", "loyalty-card", "--json", code=5).json
    error = told["maps"][0]["error"]
    assert error["code"] == "lease-held"
    assert f"/{first.pid}" in error["cause"]
    project.connector.disarm()
    assert first.wait(PATIENCE) == 0
    project.json("load")
    project.verified()
    assert BATCH not in project.written()
