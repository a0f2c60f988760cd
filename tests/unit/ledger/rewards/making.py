"""Rewards, sales and members in few words."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from connector.ledger.members.member import Member
from connector.ledger.programs.occasion import Item, Sale
from connector.ledger.programs.rounding import PointKind
from connector.ledger.rewards.document import RewardDocument
from connector.ledger.rewards.evaluator import AS_DELIVERED, Reward, Rewards, Settings

AT = datetime(2026, 6, 15, 12, 0, tzinfo=UTC)
KINDS = {
    "bonus": PointKind("bonus"),
    "cash": PointKind("cash", whole=False, currency="EUR"),
}


def document(*rules: dict[str, Any], **keys: Any) -> RewardDocument:
    """A reward of 10 fixed points, with one rule that always holds where none is given."""
    named = [{"rule": f"r{number}", **rule} for number, rule in enumerate(rules or ({},))]
    given = {"reward": "gift", "name": "Gift", "type": "fixed", "kind": "bonus", **keys}
    if given["type"] == "fixed":
        given.setdefault("points", 10)
    return RewardDocument.model_validate({**given, "rules": named})


def rewards(*documents: RewardDocument, settings: Settings = AS_DELIVERED) -> Rewards:
    """These rewards in force."""
    made = [Reward.of(one, 1, KINDS[one.kind]) for one in documents]
    return Rewards(made, settings, {one.reward: 1 for one in documents})


def item(product: str = "mug", quantity: str = "1", amount: str = "20", **facts: Any) -> Item:
    """A line of an order."""
    return Item(product, Decimal(quantity), Decimal(amount), **facts)


def sale(*lines: Item, **facts: Any) -> Sale:
    """An order in EUR of one mug for 20, where nothing else is said."""
    given = {"number": "1", "card": "A", "at": AT, "currency": "EUR", **facts}
    return Sale(lines=lines or (item(),), **given)


ANN = Member("A", party="P1", groups=frozenset({"vip"}))


def earned(these: Rewards, order: Sale, member: Member = ANN) -> list[tuple[str, object]]:
    """What an order earns: reward and points."""
    return [(one.rule, one.points) for one in these.earned(order, member)]
