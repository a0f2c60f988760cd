"""The map of the simulated worlds, and the columns of their systems.

Owns: one map text per choice of policies, and what live metadata says of both sides.
Never does: chance; `plan_of_seed.py` chooses.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from connector.endpoints.base import Column
from connector.mapping.columns import Reference
from connector.mapping.values import Side, Value, ValueType

TEXTS = ("Number", "Name", "Note", "Hint", "First", "Second")
KEYS = {Side.COMMERCE: "Number", Side.DATAVERSE: "number"}
CURRENCIES = "currencies"
"""The table in Dataverse that the cards' currencies are rows of."""
CODE = Column("code", ValueType.TEXT)
MEANT: Mapping[str, bool] = {"Yes": True, "No": False}
SHARED = frozenset({"active", "currency"})
"""Columns, in lower case, in which many cards hold the same value."""

_LOOKUP = '  - {commerce: Currency, sync: "=", dataverse: currency.code}\n'


def map_text(
    conflict: str, deletes: tuple[str, str], master: str = "commerce", lookup: bool = False
) -> str:
    """The map: two-way, one-way, choice and grouped fields, and a reference where asked for."""
    return (
        "map: card\n"
        "commerce: {entity: Cards, inactive: {column: Active, value: No}}\n"
        "dataverse: {entity: cards, inactive: {column: active, value: false}}\n"
        f"master: {master}\nconflict: {conflict}\n"
        f"deletes: {{commerce: {deletes[0]}, dataverse: {deletes[1]}}}\n"
        "fields:\n"
        '  - {commerce: Number, sync: "=", dataverse: number, key: true}\n'
        '  - {commerce: Name, sync: "=", dataverse: name}\n'
        '  - {commerce: Level, sync: "=", dataverse: level}\n'
        '  - {commerce: Note, sync: ">", dataverse: note}\n'
        '  - {commerce: Hint, sync: "<", dataverse: hint}\n'
        '  - {commerce: First, sync: "=", dataverse: first, together: both}\n'
        '  - {commerce: Second, sync: "=", dataverse: second, together: both}\n'
        '  - {commerce: Active, sync: "><", dataverse: active, values: {Yes: true, No: false}}\n'
        + (_LOOKUP if lookup else "")
    )


def spelled(side: Side, name: str) -> str:
    """How a side spells a column that commerce calls `name`."""
    return name if side is Side.COMMERCE else name.lower()


def columns(side: Side) -> tuple[Column, ...]:
    """The columns of the card on one side."""
    texts = [Column(spelled(side, name), ValueType.TEXT) for name in TEXTS]
    level = Column(spelled(side, "Level"), ValueType.INTEGER)
    if side is Side.COMMERCE:
        active = Column("Active", ValueType.CHOICE, choices={"Yes": "Yes", "No": "No"})
        currency = Column("Currency", ValueType.TEXT)
    else:
        active = Column("active", ValueType.BOOLEAN)
        reference = Reference(CURRENCIES, "id")
        currency = Column("currency", ValueType.REFERENCE, reference=reference)
    return (*texts, level, active, currency)


def truncated(value: Value) -> Value:
    """What a column of ten characters keeps."""
    return value[:10] if isinstance(value, str) else value


def rounded(value: Value) -> Value:
    """What a column that counts in tens keeps."""
    return value // 10 * 10 if isinstance(value, int) else value


Cut = Callable[[Value], Value]
