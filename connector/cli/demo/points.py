"""`dualwrite demo --points`: a club earns and spends points, and an agent sees it and corrects it.

Owns: the order of this story.
Never does: anything a project could not do with the same commands.
Tested in: tests/acceptance/test_demo_points.py.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from connector.bootstrap import Project, open_administration, open_project
from connector.cli.demo.shop import ANNA, BEN, BONUS, Screen, Shop
from connector.cli.demo.stage import FEWEST, Teller, raise_failure, report, settings_for, verified
from connector.ledger.sales.receipt import Receipt
from connector.operations.outcomes import MapOutcome
from connector.operations.provision.provisioning import provision_maps
from connector.operations.runs.writing import load_maps, sync_maps
from connector.sandbox.run import running
from connector.settings import Settings
from connector.shipped import shipped

A_YEAR_AGO = timedelta(days=400)
MAPS = ("point-balances", "card-tiers", "point-transactions", "point-corrections")
"""The maps that are off until somebody wants them."""
MOST = 100
"""Points one request may correct."""
SHOWN = {
    "Point balances": ("Kind of points", "Available", "Redeemed", "Expired"),
    "Card tiers": ("Program title", "Tier", "Points that count", "Next tier"),
    "Point transactions": ("Entry type", "Kind of points", "Points", "Reference"),
}
"""What of the page of a card is told, by list."""


def play(home: Path, cards: int, tell: Teller, told: Callable[[str, int], None]) -> dict[str, Any]:
    """The whole story; its figures, as docs/json.md has them."""
    tell.head("1. Two systems")
    with running(home / "sandbox") as sandbox:
        tell.line(f"Dataverse stand-in at {sandbox['dataverse']}: TLS, tokens, the Web API")
        settings = _settings(home, sandbox)
        with Shop(settings.commerce.url, A_YEAR_AGO) as shop:
            figures = _before(shop, cards, tell)
            with open_project(settings, told) as project, Screen(sandbox) as screen:
                result = _together(project, settings, shop, screen, tell)
                result["points"] = {**figures, **result["points"]}
                return result


def _settings(home: Path, sandbox: Mapping[str, Any]) -> Settings:
    """The settings of the other demo, with the maps of points on and limits of corrections."""
    maps = home / "mappings"
    shutil.copytree(shipped("mappings"), maps, dirs_exist_ok=True)
    for name in MAPS:
        file = maps / f"{name}.yaml"
        text = file.read_text("utf-8")
        file.write_text(text.replace("enabled: false", "enabled: true", 1), "utf-8")
    more = {
        "maps": {"path": str(maps)},
        "corrections": {"per_request": MOST},
        "freshness": {"enabled": True},
    }
    return settings_for(home, sandbox, more)


def _before(shop: Shop, cards: int, tell: Teller) -> dict[str, int]:
    """What happens in the shop before CRM hears of it."""
    tell.head("2. A year ago: members join a club and buy")
    shop.open(cards, FEWEST)
    first = [shop.sell(ANNA, "A-1", 120), shop.sell(BEN, "B-1", 90)]
    tell.line(f"{cards:,} cards; Anna, Ben and {FEWEST} others join; a euro is a point")
    tell.line(f"Anna earns {_bonus(first[:1])} points, Ben {_bonus(first[1:])}")

    tell.head("3. Today: what nobody spent in time is gone, and the shop is open")
    shop.ago = timedelta(0)
    gone = sum((one.points for one in shop.turn_day() if one.kind == BONUS), Decimal(0))
    tell.line(f"{gone} points of last year expired; no job had to run for a balance to be right")
    bought = [shop.sell(ANNA, "A-2", 620), shop.sell(BEN, "B-2", 80)]
    tell.line(f"Anna buys for 620 euros and earns {_bonus(bought[:1])} points; so does Ben, for 80")
    back = shop.take_back("B-2")
    tell.line(f"Ben returns half of it: {-_bonus([back])} of his points go")
    paid = shop.pay_with_points(ANNA, "A-3", 3)
    spent = sum((part.points for part in paid.parts), Decimal(0))
    bought.append(shop.sell(ANNA, "A-3", 30, paid.amount))
    tell.line(f"Anna pays {paid.amount} euros of 30 with {spent} points, and earns on the rest")
    return {
        "earned": int(_bonus([*first, *bought])),
        "expired": int(gone),
        "redeemed": int(spent),
        "returned": int(-_bonus([back])),
    }


def _together(
    project: Project, settings: Settings, shop: Shop, screen: Screen, tell: Teller
) -> dict[str, Any]:
    """What CRM sees of it, and what comes back."""
    documents = list(project.documents.values())
    tell.head("4. CRM gets the tables, and what is in the ledger")
    with open_administration(settings) as organization:
        made = provision_maps(
            project,
            documents,
            organization,
            webhooks=None,
            solution=None,
            only_plan=False,
            told=lambda _step: None,
        )
    tell.line(f"{len(made.steps)} steps: tables, columns, lookups, keys")
    loads = load_maps(project, documents)
    report(loads, tell)

    tell.head("5. An agent opens Anna's card")
    page = screen.look_up(ANNA)
    seen = _look(screen, page, tell)

    tell.head("6. A sale changes a handful of rows")
    shop.sell(ANNA, "A-4", 50)
    syncs = sync_maps(project, documents)
    report([one for one in syncs if one.writes], tell)

    tell.head("7. The agent files two corrections")
    reasons = {"The parcel came late.": 40, "A good customer.": 50 * MOST}
    for reason, points in reasons.items():
        screen.file(page, BONUS, points, reason)
    answered = sync_maps(project, documents)
    rows = {row["Reason"]: row for row in screen.lists(page)["Corrections of points"]}
    corrections = [
        {"status": rows[one]["Outcome"].lower(), "outcome": rows[one]["Outcome in words"]}
        for one in reasons
    ]
    for one in corrections:
        tell.line(f"{one['status']}: {one['outcome']}")
    answered += sync_maps(project, documents)
    report([one for one in answered if one.writes], tell)

    tell.head("8. Sync again: nothing left to do")
    quiet = sync_maps(project, documents)
    report(quiet, tell)

    tell.head("9. Proof")
    verdict = verified(project, tell)
    raise_failure([*loads, *syncs, *answered, *quiet])
    return {
        "cards": verdict.pop("cards"),
        "loaded": _writes(loads),
        "synced": _writes([*syncs, *answered, *quiet]),
        "conflicts": 0,
        "second_sync": _writes(quiet),
        "verify": verdict,
        "points": {"provisioned": len(made.steps), "seen": seen, "corrections": corrections},
    }


def _look(screen: Screen, page: str, tell: Teller) -> dict[str, int]:
    """Tell what the page shows; how many rows there are, by list."""
    lists = screen.lists(page)
    for title, columns in SHOWN.items():
        tell.line(f"{title}:")
        for row in lists[title]:
            cells = (f"{name} {row[name].removesuffix('.0000')}" for name in columns)
            tell.line("  " + ", ".join(cells))
    tell.line("How fresh it is:")
    for row in lists["Sync statuses"]:
        tell.line(f"  {row['Title']}: {row['State']}, {row['Seconds behind']} s behind")
    return {
        "balances": len(lists["Point balances"]),
        "tiers": len(lists["Card tiers"]),
        "transactions": len(lists["Point transactions"]),
        "fresh": len(lists["Sync statuses"]),
    }


def _bonus(receipts: Sequence[Receipt]) -> Decimal:
    """The points that pay among what receipts brought."""
    entries = (entry for receipt in receipts for entry in receipt.entries)
    return sum((entry.points for entry in entries if entry.kind == BONUS), Decimal(0))


def _writes(outcomes: Sequence[MapOutcome]) -> int:
    return sum(outcome.writes for outcome in outcomes)
