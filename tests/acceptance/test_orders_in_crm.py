"""Orders from a CSV file, and what agents see of them: to the last decimal, after one sync.

The file is that of `test_orders_import.py`, in two halves: one is posted before `load`, one before
`sync`. pandas works out what every card should hold, the ledger and Dataverse are held to it.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from connector.ledger.journal.balances import balances
from connector.ledger.ledger import Ledger
from connector.sandbox.run import running
from tests.acceptance.conftest import Project, make_project
from tests.acceptance.test_orders_import import CLUB, LAST, ORDERS, expected, make

if TYPE_CHECKING:
    from tests.conftest import SignIn

POINT_MAPS = ("point-balances", "card-tiers", "point-transactions", "card-segments")


@pytest.fixture
def crm(tmp_path: Path, sign_in: SignIn, capsys: pytest.CaptureFixture[str]) -> Iterator[Project]:
    """A project whose point maps are on, with a program that gives a point for a euro."""
    with running(tmp_path / "organization") as ready:
        project = make_project(tmp_path / "project", ready, sign_in)
        capsys.readouterr()
        for name in POINT_MAPS:
            file = project.folder / "mappings" / f"{name}.yaml"
            text = file.read_text("utf-8")
            file.write_text(text.replace("\nenabled: false\n", "\nenabled: true\n"), "utf-8")
        project.json("provision")
        kind = ("RewardPointType=Amount", "RewardPointCurrency=EUR", "Redeemable=Yes")
        project.call("ledger", "set", "cents", *kind, "--create", "--entity", "reward-points")
        (project.folder / "club.yaml").write_text(CLUB, "utf-8")
        project.call("ledger", "programs", "import", "club.yaml")
        yield project
        project.end()


def posted(project: Project, path: Path) -> None:
    columns = ("--set", "Number=order", "--set", "Card=customer", "--set", "At=date")
    words = ("ledger", "import-orders", str(path), *columns, "--decimal-comma", "--enrol")
    assert project.json(*words)["problems"] == []


def halved(path: Path) -> tuple[Path, Path]:
    """The same orders in two files; those that come twice come again in the second."""
    head, *lines = path.read_text("utf-8").splitlines(keepends=True)
    middle = len(lines) // 2
    halves = path.with_name("first.csv"), path.with_name("second.csv")
    for half, part in zip(halves, (lines[:middle], lines[middle:]), strict=True):
        half.write_text(head + "".join(part), "utf-8")
    return halves


def shown(project: Project) -> dict[str, Decimal]:
    """What agents see on each card."""
    cards = {row["msdyn_loyaltycardid"]: row["msdyn_cardnumber"] for row in project.rows()}
    rows = project.rows("dwrite_pointbalances")
    found = {
        cards[row["_dwrite_card_value"]]: Decimal(str(row["dwrite_available"])) for row in rows
    }
    assert len(found) == len(rows)
    return {card: points for card, points in found.items() if points}


def held(project: Project) -> dict[str, Decimal]:
    """What the ledger works out for each card, from its journal."""
    found: dict[str, Decimal] = {}
    with Ledger.open(f"sqlite:///{project.folder / 'var' / 'ledger.db'}") as ledger:
        for card in project.ledger_keys():
            found[card] = sum((one.available for one in balances(ledger, card, LAST)), Decimal())
    return {card: points for card, points in found.items() if points}


@pytest.mark.parametrize("orders", [3_000, pytest.param(ORDERS, marks=pytest.mark.long)])
def test_agents_see_what_every_order_earned(crm: Project, tmp_path: Path, orders: int) -> None:
    whole = tmp_path / "orders.csv"
    make(whole, orders)
    first, second = halved(whole)

    posted(crm, first)
    crm.json("load")
    assert shown(crm) == held(crm) == expected(first)

    posted(crm, second)
    crm.json("sync")
    assert shown(crm) == held(crm) == expected(whole)
    verdict = crm.verified()
    assert verdict["drift"] == 0
    assert len(crm.rows("dwrite_pointtransactions")) > orders * 0.9
