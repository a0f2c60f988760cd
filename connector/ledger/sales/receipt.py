"""What a till is answered, and what it hands in beside sales and activities.

Owns: these values.
Never does: anything; see `till.py`.
Tested in: tests/unit/ledger/sales/.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple, TypeAlias

from connector.ledger.journal.posting import Entry, Refused
from connector.ledger.programs.owing import Owed


@dataclass(frozen=True, slots=True)
class Back:
    """So much of a line of a sale comes back; lines count from 1.

    `amount` None means the part of the line's amount that falls to the quantity.
    """

    line: int
    quantity: Decimal
    amount: Decimal | None = None


class Receipt(NamedTuple):
    """A sale, return or activity stands in the ledger; `repeated` where it stood there before.

    `posting` is None where it moved no points itself. `entries` are what it moved; the first answer
    tells what extensions gave for it as well, and which programs `owe` what they give.
    """

    number: str
    card: str
    posting: int | None
    entries: tuple[Entry, ...]
    repeated: bool = False
    owed: tuple[Owed, ...] = ()
    """Programs that could not be judged yet (`programs/owing.py`)."""


Answer: TypeAlias = Receipt | Refused
