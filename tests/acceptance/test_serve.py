"""Live mode: a process that carries edits across as they happen, and is hard to get rid of."""

from __future__ import annotations

import re
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import requests
import sqlalchemy as sa

from tests.acceptance.conftest import CARDS, members
from tests.acceptance.living import KEY, Live, living, until
from tests.acceptance.test_kill import HELD
from tests.conftest import PATIENCE
from tests.docs.test_json import is_a, leaves, table, unknown

if TYPE_CHECKING:
    from tests.acceptance.conftest import Project
    from tests.postgresql import Server

pytestmark = pytest.mark.slow

MAP = "loyalty-card"
COUNT = 20
WAIT = str(int(PATIENCE))
FOLLOW = "GET msdyn_loyaltycards?$deltatoken"
NEVER = {"SERVE__POLL_MIN": "300", "SERVE__POLL_MAX": "600"}
"""Polling that no test waits for: what arrives was told."""
OFTEN = {"SERVE__POLL_MIN": "0.2", "SERVE__POLL_MAX": "0.5"}


@pytest.fixture
def loaded(project: Project) -> Project:
    """Some cards on both sides."""
    project.import_cards(members(COUNT))
    project.json("load")
    return project


@pytest.fixture
def live(loaded: Project, tmp_path: Path) -> Iterator[Live]:
    """An instance that looks often, at work."""
    with living(loaded, tmp_path, **OFTEN) as one:
        one.comes_to("active")
        yield one


def replacement(project: Project, number: str) -> object:
    """What Dataverse holds as the replacement of a card; None also where there is no card."""
    card = project.cards().get(number)
    return None if card is None else card["msdyn_replacementcardnumber"]


def faults_met(project: Project) -> object:
    """How many requests met a fault, by its kind."""
    return project.connector.told()["faults"]


def blocked_in_ledger(project: Project, number: str) -> bool:
    return bool(project.ledger(number)["CardTenderType"] == "Blocked")


# ---------------------------------------------------------------------------- both directions


def test_edits_travel_both_ways_by_polling(loaded: Project, live: Live) -> None:
    loaded.edit("M100001", msdyn_cardtendertype=806380003)
    until("the edit of the agent", lambda: blocked_in_ledger(loaded, "M100001"))
    loaded.call("ledger", "set", "M100002", "ReplacementCardNumber=NEW")
    until("the edit of commerce", lambda: replacement(loaded, "M100002") == "NEW")
    loaded.call("ledger", "set", "NEW-1", "CardTenderType=AsCardTender", "--create")
    until("the new card", lambda: "NEW-1" in loaded.cards())
    answer = loaded.agent.delete(f"{CARDS}({loaded.cards_id('M100003')})")
    assert answer.status_code == 204
    until("the card that was deleted by a slip", lambda: "M100003" in loaded.cards())
    assert live.ends() == 143
    told = live.lines()
    assert sum(line["writes"] for line in told) == 4
    assert all(line["error"] is None for line in told)
    assert "Traceback" not in live.said()
    loaded.verified()


def test_a_commit_to_the_ledger_needs_no_poll(loaded: Project, tmp_path: Path) -> None:
    with living(loaded, tmp_path, **NEVER) as live:
        live.comes_to("active")
        loaded.call("ledger", "set", "M100002", "ReplacementCardNumber=NEW")
        until("the edit", lambda: replacement(loaded, "M100002") == "NEW")


def test_a_notice_of_our_own_write_is_no_news_beside_a_map_that_is_held(
    loaded: Project, tmp_path: Path
) -> None:
    loaded.json("maps", "pause", "loyalty-reward-points")
    with living(loaded, tmp_path, **NEVER) as live:
        live.sent_notices(loaded)
        live.comes_to("active")
        loaded.call("ledger", "set", "M100002", "ReplacementCardNumber=NEW")
        until("the notice of our own write", lambda: live.health()["notices"]["own"])
        assert live.health()["notices"]["taken"] == 0


def test_a_webhook_needs_no_poll(loaded: Project, tmp_path: Path) -> None:
    with living(loaded, tmp_path, **NEVER) as live:
        live.sent_notices(loaded)
        live.comes_to("active")
        loaded.edit("M100001", msdyn_cardtendertype=806380003)
        until("the edit", lambda: blocked_in_ledger(loaded, "M100001"))
        taken = live.health()["notices"]["taken"]
        assert taken == 1
        loaded.call("ledger", "set", "M100002", "ReplacementCardNumber=NEW")
        until("the notice of our own write", lambda: live.health()["notices"]["own"])
        assert live.health()["notices"]["taken"] == taken


def test_lost_late_and_doubled_notices_do_no_harm(loaded: Project, tmp_path: Path) -> None:
    with living(loaded, tmp_path, SERVE__POLL_MIN="0.5", SERVE__POLL_MAX="1") as live:
        live.sent_notices(loaded)
        loaded.connector.switch("webhooks", {"lose": 2, "late": 3, "seconds": 1.5})
        live.comes_to("active")
        numbers = sorted(loaded.cards())[:12]
        for number in numbers:
            loaded.edit(number, msdyn_cardtendertype=806380001)
            live.notice()
        tender = {"CardTenderType": "AsContactTender"}.items()
        until("all", lambda: all(tender <= loaded.ledger(number).items() for number in numbers))
        loaded.connector.switch("webhooks", {"lose": 0, "late": 0})
        assert live.ends() == 143
        assert sum(line["writes"] for line in live.lines()) == len(numbers)
    loaded.verified()


# ---------------------------------------------------------------------------- at rest


def test_a_look_at_a_map_at_rest_is_one_request(loaded: Project, live: Live) -> None:
    looks = {FOLLOW, "GET msdyn_loyaltyrewardpoints?$deltatoken"}

    def looked_at_both(times: int) -> bool:
        return all(loaded.connector.counts().get(look, 0) >= times for look in looks)

    live.comes_to("active", "loyalty-reward-points")
    loaded.forget_requests()
    until("whatever had begun is over", lambda: looked_at_both(1))
    loaded.forget_requests()
    until("more looks", lambda: looked_at_both(2))
    asked = loaded.connector.counts()
    assert live.ends() == 143
    assert set(asked) == looks, "nothing is described or signed in again"
    runs = loaded.json("runs", "list", "--map", MAP)["runs"]
    assert [run["command"] for run in runs].count("serve") == 1, "looks are no runs"
    assert live.lines() == []


# ---------------------------------------------------------------------------- bad notices


def test_bad_notices_are_refused_and_counted(loaded: Project, live: Live) -> None:
    live.comes_to("active", "loyalty-reward-points")  # all tables are known
    right = {"x-dualwrite-key": KEY}
    assert live.notice(key="wrong").status_code == 401
    assert live.notice(key="").status_code == 401
    assert live.post(b"{}", {}).status_code == 401
    garbage = [b"", b"{", b"[]", b"null", b'"x"', b"\xff\xfe", b'{"PrimaryEntityName": 7}', b"{}"]
    for body in garbage:
        answer = live.post(body, right)
        assert answer.status_code == 400, body
        assert "Traceback" not in answer.text
    assert live.post(b"[" * 100_000, right).status_code == 400
    assert live.post(b"x" * 600_000, right).status_code == 413
    assert live.post(b"x" * 600_000, {}).status_code == 401
    assert live.notice(table="account").status_code == 202
    code = requests.post(
        f"{live.url}/webhooks/dataverse?code={KEY}",
        json={"PrimaryEntityName": "msdyn_loyaltycard"},
        timeout=30,
    )
    assert code.status_code == 202
    assert requests.get(f"{live.url}/webhooks/dataverse", timeout=30).status_code == 405
    assert requests.get(f"{live.url}/", timeout=30).status_code == 404
    with socket.create_connection(("127.0.0.1", live.port)) as rude:
        rude.sendall(b"POST /webhooks/dataverse HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n")
        rude.sendall(f"x-dualwrite-key: {KEY}\r\n\r\n{{".encode())
    until("the one who hung up", lambda: live.health()["notices"]["malformed"] == 10)
    assert live.health()["notices"] == {
        "taken": 1,
        "own": 0,
        "unrelated": 1,
        "wrong_key": 4,
        "malformed": 10,
        "too_large": 1,
    }
    said = live.said()
    assert "a notice was refused (wrong_key, 1 so far)" in said
    assert KEY not in said
    assert "Traceback" not in said
    loaded.edit("M100001", msdyn_cardtendertype=806380003)
    until("work that goes on", lambda: blocked_in_ledger(loaded, "M100001"))


def test_without_a_key_no_notice_is_taken(loaded: Project, tmp_path: Path) -> None:
    settings = {**NEVER, "SERVE__WEBHOOK_KEY": "env:TEST_NO_KEY"}
    with living(loaded, tmp_path, **settings) as live:
        assert live.process.wait(PATIENCE) == 2
        assert "secret-missing" in live.out.read_text()


# ---------------------------------------------------------------------------- ends


@pytest.mark.parametrize(("how", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_ends_it_in_good_order(
    loaded: Project, tmp_path: Path, how: signal.Signals, code: int
) -> None:
    with living(loaded, tmp_path, **NEVER) as live:
        live.comes_to("active")
        assert live.ends(how) == code, "long before its next look"
        assert live.said().rstrip().endswith("stopping")


def test_a_batch_in_flight_is_finished(loaded: Project, live: Live) -> None:
    loaded.fault(kind="slow", seconds=HELD, path="$batch")
    loaded.call("ledger", "set", "M100002", "ReplacementCardNumber=NEW")
    until("the batch", lambda: loaded.connector.counts().get("POST $batch"))
    live.process.send_signal(signal.SIGTERM)
    loaded.connector.disarm()
    assert live.process.wait(PATIENCE) == 143
    assert replacement(loaded, "M100002") == "NEW"
    history = loaded.json("history", "M100002")
    assert "on its way" not in str(history)


def test_kill_and_restart_in_between_lose_nothing(loaded: Project, tmp_path: Path) -> None:
    numbers = sorted(loaded.cards())
    for turn, number in enumerate(numbers[:6]):
        with living(loaded, tmp_path, **OFTEN) as live:
            live.comes_to("active")
            loaded.edit(number, msdyn_cardtendertype=806380003)
            loaded.call("ledger", "set", number, f"ReplacementCardNumber=R{turn}")
            time.sleep(0.03 * turn)
            assert live.ends(signal.SIGKILL) == -signal.SIGKILL
    with living(loaded, tmp_path, **OFTEN) as live:
        live.comes_to("active")
        for turn, number in enumerate(numbers[:6]):
            until(number, lambda number=number: blocked_in_ledger(loaded, number))  # type: ignore[misc]
            until(
                number,
                lambda number=number, turn=turn: replacement(loaded, number) == f"R{turn}",  # type: ignore[misc]
            )
        assert live.ends() == 143
    loaded.verified()


# ---------------------------------------------------------------------------- two instances


def test_a_second_instance_stands_by_and_takes_over(loaded: Project, tmp_path: Path) -> None:
    with living(loaded, tmp_path, **OFTEN) as first:
        first.comes_to("active")
        with living(loaded, tmp_path, **OFTEN) as second:
            second.comes_to("standby")
            health = second.health()
            assert (health["status"], health["ready"], health["active"]) == (200, True, False)
            assert second.health("/health/active")["status"] == 503
            assert first.health("/health/active")["status"] == 200
            assert first.ends(signal.SIGKILL) == -signal.SIGKILL
            second.comes_to("active")
            loaded.edit("M100001", msdyn_cardtendertype=806380003)
            until("the edit", lambda: blocked_in_ledger(loaded, "M100001"))
            with living(loaded, tmp_path, **OFTEN) as third:
                third.comes_to("standby")
                assert second.ends() == 143
                third.comes_to("active")
    loaded.verified()


# ---------------------------------------------------------------------------- held maps


def test_a_map_is_left_alone_until_it_is_resumed(loaded: Project, live: Live) -> None:
    loaded.json("maps", "pause", MAP, "--wait", WAIT)
    live.comes_to("paused")
    health = live.health()
    assert health["status"] == 200, "somebody wanted it so"
    assert {"map": MAP, "kind": "paused", "count": 1} in health["needs"]
    loaded.edit("M100001", msdyn_cardtendertype=806380003)
    live.notice()
    loaded.forget_requests()
    time.sleep(1.5)  # several times as long as it is between two looks
    assert FOLLOW not in loaded.connector.counts()
    assert not blocked_in_ledger(loaded, "M100001")
    loaded.json("maps", "resume", MAP, "--wait", WAIT)
    until("the edit made meanwhile", lambda: blocked_in_ledger(loaded, "M100001"))
    live.comes_to("active")


def test_a_guard_stops_one_map_and_not_the_service(loaded: Project, live: Live) -> None:
    live.comes_to("active", "loyalty-reward-points")
    # All of them in one cycle: fewer than three would stop nothing.
    loaded.json("maps", "pause", MAP, "--wait", WAIT)
    for number in sorted(loaded.cards())[:5]:
        loaded.call("ledger", "delete", number)
    loaded.json("maps", "resume", MAP, "--wait", WAIT)
    live.comes_to("stopped")
    left = len(loaded.cards()) - (COUNT - 5)
    assert left >= 3, "the share of 5 % counts from three on"
    assert live.state("loyalty-reward-points") == "active"
    loaded.call("maps", "resume", MAP, "--allow-deletes", str(left), "--wait", WAIT)
    until("the deletes", lambda: len(loaded.cards()) == COUNT - 5)
    live.comes_to("active")


def test_a_map_is_served_as_soon_as_it_is_loaded(project: Project, tmp_path: Path) -> None:
    project.import_cards(members(3))
    with living(project, tmp_path, **OFTEN) as live:
        live.comes_to("new")
        assert live.health()["status"] == 503
        assert live.health("/health/live")["status"] == 200
        project.json("load")
        live.comes_to("active")
        live.comes_to("active", "loyalty-reward-points")
        assert live.health()["status"] == 200


def test_people_decide_while_it_works(loaded: Project, live: Live) -> None:
    loaded.json("maps", "pause", MAP, "--wait", WAIT)
    loaded.edit("M100001", msdyn_cardtendertype=806380001)
    loaded.call("ledger", "set", "M100001", "CardTenderType=NoTender")
    loaded.json("maps", "resume", MAP, "--wait", WAIT)
    need = {"map": MAP, "kind": "conflict", "count": 1}
    until("the conflict", lambda: need in live.health().get("needs", []))
    hint = f"{MAP}: 1 in conflict: `dualwrite conflicts list --map {MAP}` shows them"
    assert live.said().count(hint) == 1
    loaded.json("conflicts", "resolve", MAP, "M100001", "--with", "dataverse", "--as-shown", "1")
    until("nothing to decide", lambda: live.health()["needs"] == [])
    decided = {"CardTenderType": "AsContactTender"}.items()
    until("the decision", lambda: decided <= loaded.ledger("M100001").items())


# ---------------------------------------------------------------------------- around it


def test_systemd_is_told(loaded: Project, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.settimeout(PATIENCE)
        loaded.environment["NOTIFY_SOCKET"] = str(tmp_path / "notify")
        with living(loaded, tmp_path, **OFTEN) as live:
            assert systemd.recv(200).decode().splitlines() == [
                "READY=1",
                f"STATUS=listening on {live.url}",
            ]
            assert live.health("/health/live")["status"] == 200, "it is ready"
            assert live.ends() == 143
            assert systemd.recv(200) == b"STOPPING=1"


def test_a_state_that_is_away_for_a_while_ends_nothing(
    project: Project, tmp_path: Path, postgresql: Server
) -> None:
    url = postgresql.empty_state()
    name = sa.make_url(url).database
    project.environment["DUALWRITE__STORE__URL"] = url
    project.import_cards(members(3))
    project.json("load")
    with living(project, tmp_path, **OFTEN) as live:
        live.comes_to("active")
        for _ in range(3):
            postgresql.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                f"WHERE datname = '{name}' AND pid <> pg_backend_pid()"
            )
            time.sleep(0.3)
        project.edit("M100001", msdyn_cardtendertype=806380003)
        until("the edit", lambda: blocked_in_ledger(project, "M100001"))
        live.comes_to("active")
        assert "state-unreachable" in live.said()
        assert live.ends() == 143
    project.verified()


def test_a_state_that_goes_in_the_middle_of_a_cycle_keeps_no_map(
    project: Project, tmp_path: Path, postgresql: Server
) -> None:
    """A run that cannot give its lease back must not stand in its own way for an hour."""
    url = postgresql.empty_state()
    name = sa.make_url(url).database
    project.environment["DUALWRITE__STORE__URL"] = url
    project.import_cards(members(3))
    project.json("load")
    with living(project, tmp_path, **OFTEN) as live:
        live.comes_to("active")
        project.fault(kind="slow", count=1, seconds=HELD, path="msdyn_loyaltycards?")
        until("a cycle that hangs", lambda: faults_met(project))
        try:
            postgresql.execute(
                f"ALTER DATABASE {name} ALLOW_CONNECTIONS false",
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                f"WHERE datname = '{name}' AND pid <> pg_backend_pid()",
            )
            project.connector.disarm()
            live.comes_to("failing")
        finally:
            postgresql.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
        project.edit("M100001", msdyn_cardtendertype=806380003)
        until("the edit", lambda: blocked_in_ledger(project, "M100001"))
        assert live.ends() == 143
    project.verified()


def test_a_state_that_is_locked_for_too_long_ends_nothing(
    project: Project, tmp_path: Path, postgresql: Server
) -> None:
    url = postgresql.empty_state()
    name = sa.make_url(url).database
    project.environment["DUALWRITE__STORE__URL"] = url
    project.import_cards(members(3))
    project.json("load")
    waiting = f"FROM pg_stat_activity WHERE datname = '{name}' AND wait_event_type = 'Lock'"
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with living(project, tmp_path, **OFTEN) as live:
        live.comes_to("active")
        with engine.begin() as other:
            other.exec_driver_sql("LOCK TABLE maps, leases IN ACCESS EXCLUSIVE MODE")
            # As its own limit would, after half a minute.
            cancel = f"SELECT pg_cancel_backend(pid) {waiting}"
            until("trouble", lambda: (postgresql.execute(cancel), live.state())[1] == "failing")
        live.comes_to("active")
        assert "state-busy" in live.said()
        assert live.ends() == 143


# ---------------------------------------------------------------------------- what is told


def test_the_health_object_is_as_documented(loaded: Project, live: Live) -> None:
    loaded.json("maps", "pause", MAP, "--wait", WAIT)
    live.comes_to("paused")
    shown = live.health()
    del shown["status"]
    types = table("Health")
    assert unknown(shown, types) == set()
    seen = {path for path, _ in leaves(shown, types)}
    assert set(types) - seen == set()
    for path, value in leaves(shown, types):
        assert any(is_a(value, kind) for kind in types[path].split(" or ")), (path, value)


def test_wrong_credentials_and_config_end_it(loaded: Project, tmp_path: Path) -> None:
    with living(loaded, tmp_path, DATAVERSE__CLIENT_ID="00000000-0000-4000-8000-000000000001") as a:
        assert a.process.wait(PATIENCE) == 2
    with living(loaded, tmp_path, SERVE__POLL_MIN="soon") as b:
        assert b.process.wait(PATIENCE) == 2
    with living(loaded, tmp_path) as one:
        one.comes_to("active")
        with living(loaded, tmp_path, SERVE__LISTEN=f"127.0.0.1:{one.port}") as other:
            assert other.process.wait(PATIENCE) == 2
            assert "port-in-use" in other.out.read_text()
        wrong = {"DATAVERSE__CLIENT_ID": "00000000-0000-4000-8000-000000000001"}
        with living(loaded, tmp_path, **wrong) as standby:
            assert standby.process.wait(PATIENCE) == 2, (
                "whoever could not take over says so at once"
            )
    with living(loaded, tmp_path, SERVE__CERTIFICATE="config/connector.toml") as c:
        assert c.process.wait(PATIENCE) == 2
        assert re.search("serve-certificate", c.out.read_text())
