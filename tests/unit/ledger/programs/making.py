"""Programs, sales and members made shortly, for tests."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from connector.ledger.members.member import Member
from connector.ledger.programs.book import Program, Programs
from connector.ledger.programs.document import ProgramDocument
from connector.ledger.programs.occasion import Activity, Item, Sale
from connector.ledger.programs.rounding import PointKind

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
"""A Wednesday."""
KINDS = {
    "bonus": PointKind("Bonus", whole=True, ranking=2),
    "cash": PointKind("cash", whole=False, currency="EUR", ranking=1),
    "yen": PointKind("yen", whole=False, currency="JPY"),
    "status": PointKind("status", redeemable=False),
}


def exact(value: Any) -> Any:
    """The same data with exact numbers, as the YAML reader gives them."""
    if isinstance(value, float):
        return Decimal(str(value))
    if isinstance(value, dict):
        return {key: exact(part) for key, part in value.items()}
    return [exact(part) for part in value] if isinstance(value, list) else value


def rule(**keys: Any) -> dict[str, Any]:
    """One point for each EUR, but for what is given; `_` stands for `-` and `not_for_` …"""
    whole = {"rule": "base", "by": "amount", "points": 1, "kind": "bonus"}
    given = {key.rstrip("_").replace("_", "-"): value for key, value in keys.items()}
    if given.get("by", "amount") == "amount":
        whole["currency"] = "EUR"
    return {**whole, **given}


def programs(*rules: dict[str, Any], **keys: Any) -> Programs:
    """One program `club` with these rules."""
    data = {"program": "club", "title": "Club", "earn": list(rules), **keys}
    return Programs([Program(ProgramDocument.model_validate(exact(data)), 3)], KINDS)


def item(product: str = "shoe", amount: str = "10", quantity: str = "1", **keys: Any) -> Item:
    """A line of a sale."""
    return Item(product, Decimal(quantity), Decimal(amount), **keys)


def sale(*lines: Item, payments: dict[str, str] | None = None, **keys: Any) -> Sale:
    """A sale of a card at noon, in EUR."""
    paid = {means: Decimal(amount) for means, amount in (payments or {}).items()}
    whole: dict[str, Any] = {"number": "S1", "card": "100001", "at": NOON, "currency": "EUR"}
    return Sale(**{**whole, "lines": lines or (item(),), "payments": paid, **keys})


def activity(name: str = "survey", quantity: str = "1", **keys: Any) -> Activity:
    """Something else a card did."""
    whole: dict[str, Any] = {"number": "A1", "card": "100001", "at": NOON}
    return Activity(**{**whole, "activity": name, "quantity": Decimal(quantity), **keys})


def member(**keys: Any) -> Member:
    """Whoever holds the card."""
    sets: dict[str, Any] = {
        key: frozenset(keys.pop(key)) for key in ("groups", "programs") if key in keys
    }
    return Member("100001", **sets, **keys)
