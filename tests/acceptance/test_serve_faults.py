"""Live mode on bad days: what the other side does to it is waited out, told, and made up for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from connector.sandbox.run import running
from tests.acceptance.conftest import make_project, members
from tests.acceptance.living import Live, free_port, living, until
from tests.acceptance.test_main_story import currency_id, points

if TYPE_CHECKING:
    from tests.acceptance.conftest import Project
    from tests.conftest import SignIn

pytestmark = pytest.mark.slow

MAP = "loyalty-card"
QUICK = {
    "SERVE__POLL_MIN": "0.2",
    "SERVE__POLL_MAX": "0.5",
    "RETRY__FIRST_WAIT": "0.1",
}


@pytest.fixture
def live(project: Project, tmp_path: Path) -> Iterator[Live]:
    """An instance at work between two sides with a few cards."""
    project.import_cards(members(6))
    project.json("load")
    with living(project, tmp_path, **QUICK) as one:
        one.comes_to("active")
        one.comes_to("active", "loyalty-reward-points")
        yield one


def edit_both(project: Project, mark: str) -> None:
    project.edit("M100001", msdyn_cardtendertype=806380003)
    project.call("ledger", "set", "M100002", f"ReplacementCardNumber={mark}")


def arrived(project: Project, mark: str) -> bool:
    there = bool(project.cards()["M100002"]["msdyn_replacementcardnumber"] == mark)
    return there and project.ledger("M100001")["CardTenderType"] == "Blocked"


@pytest.mark.parametrize(
    "kind",
    ["html", "cut", "drop", "lost-reply", "unauthorized", "forbidden", "unavailable", "throttle"],
)
def test_it_lives_through(project: Project, live: Live, kind: str) -> None:
    for path in ("deltatoken", "$batch"):
        project.fault(kind=kind, count=3, path=path, retry_after=1)
    edit_both(project, "NEW")
    until(f"both edits through {kind}", lambda: arrived(project, "NEW"))
    live.comes_to("active")
    assert live.ends() == 143
    assert "Traceback" not in live.said()
    project.connector.disarm()
    project.verified()


def test_a_record_is_tried_again_when_it_is_due(
    project: Project, tmp_path: Path, live: Live
) -> None:
    assert live.ends() == 143
    with living(project, tmp_path, SERVE__POLL_MIN="300", SERVE__POLL_MAX="600") as patient:
        patient.comes_to("active")
        project.fault(kind="unavailable", count=2, path="$batch")
        project.call("ledger", "set", "M100002", "ReplacementCardNumber=NEW")
        until(
            "the edit, long before the next look",
            lambda: project.cards()["M100002"]["msdyn_replacementcardnumber"] == "NEW",
        )
        assert project.connector.counts()["POST $batch"] == 3


def test_a_side_goes_down_and_comes_back(tmp_path: Path, sign_in: SignIn) -> None:
    port, folder = free_port(), tmp_path / "sandbox"
    with ExitStack() as up:
        where = up.enter_context(running(folder, port))
        project = make_project(tmp_path / "project", where, sign_in)
        project.import_cards(members(3))
        project.json("load")
        with living(project, tmp_path, **QUICK) as live:
            live.comes_to("active")
            up.close()
            live.comes_to("failing")
            health = live.health()
            assert health["status"] == 503
            assert health["maps"][0]["problem"]["code"] == "unreachable"
            assert live.health("/health/live")["status"] == 200
            assert "tried again in" in live.said()
            assert live.ends() == 143, "also while a side is away"
        project.call("ledger", "set", "M100002", "ReplacementCardNumber=NEW")
        with living(project, tmp_path, **QUICK) as live:
            live.comes_to("failing")
            up.enter_context(running(folder, port))
            project.agent = sign_in("agent_", where)
            until(
                "the edit made meanwhile",
                lambda: project.cards()["M100002"]["msdyn_replacementcardnumber"] == "NEW",
            )
            live.comes_to("active")
            assert live.ends() == 143
            assert "loyalty-card: works again, after" in live.said()
            assert "Traceback" not in live.said()


def test_an_expired_delta_token_leads_to_a_full_comparison(project: Project, live: Live) -> None:
    project.connector.switch("expire-tokens")
    edit_both(project, "NEW")
    until("both edits", lambda: arrived(project, "NEW"))
    until(
        "the comparison",
        lambda: any("dataverse_feed_expired" in line["counts"] for line in live.lines()),
    )
    assert live.ends() == 143
    project.verified()


def test_a_clock_that_is_hours_off_changes_nothing(project: Project, live: Live) -> None:
    project.connector.switch("clock", {"seconds": 7200})
    edit_both(project, "NEW")
    until("both edits", lambda: arrived(project, "NEW"))
    assert live.ends() == 143
    project.connector.switch("clock", {"seconds": 0})
    project.verified()


def test_a_role_that_goes_holds_up_its_own_map_only(project: Project, live: Live) -> None:
    less = ["prvReadmsdyn_LoyaltyRewardPoint", "prvReadTransactionCurrency", "prvReadOrganization"]
    project.connector.switch("roles", {"role": "Less", "privileges": less})
    project.connector.switch("roles", {"user": "connector", "roles": ["Less"]})
    live.comes_to("failing")
    health = live.health()
    problems = {one["map"]: one["problem"] for one in health["maps"]}
    assert health["status"] == 503
    assert problems["loyalty-card"]["code"] == "privilege-missing"
    assert "prvReadmsdyn_LoyaltyCard" in live.said()
    assert live.state("loyalty-reward-points") == "active"
    project.call("ledger", "set", "M100002", "ReplacementCardNumber=NEW")
    project.connector.switch("roles", {"user": "connector", "roles": ["System Administrator"]})
    until(
        "the edit made meanwhile",
        lambda: project.cards()["M100002"]["msdyn_replacementcardnumber"] == "NEW",
    )
    live.comes_to("active")
    assert live.ends() == 143
    project.verified()


def test_a_currency_that_takes_anothers_code_is_found_anew(project: Project, live: Live) -> None:
    def made(point: str) -> object:
        """A new kind of points in euros, once it is there: the currency it was bound to."""
        values = ("RewardPointType=Amount", "RewardPointCurrency=EUR", "--create")
        project.call("ledger", "set", point, *values, "--entity", "reward-points")
        row = until(point, lambda: points(project).get(point))
        return row["_msdyn_rewardpointcurrency_value"]

    euro, dollar = currency_id(project, "EUR"), currency_id(project, "CAD")
    assert made("P-1") == euro
    for id, code in ((euro, "XEU"), (dollar, "EUR")):
        url = f"transactioncurrencies({id})"
        answer = project.connector.patch(url, json={"isocurrencycode": code})
        assert answer.status_code == 204, answer.text
    assert made("P-2") == dollar
