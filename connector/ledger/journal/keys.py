"""How the keys of postings begin that the ledger names itself.

Owns: these names, so that no two kinds of postings share one, and keeping them from callers.
Never does: naming a posting; whoever posts puts its own number behind.
Tested in: tests/unit/ledger/journal/test_keys.py.

A key belongs to the first that posts under it. Were a caller free to call a posting `sale:A1`, the
sale of that number could never be posted.
"""

from __future__ import annotations

from connector.errors import RecordError, Subject

SALE = "sale:"
RETURN = "return:"
ACTIVITY = "activity:"
GIFT = "gift:"
"""What extensions give once."""
PAYMENT = "payment:"
CHECKOUT = "checkout:"
"""Lines of an order with a price in points."""
CORRECTION = "correction:"
REPLACE = "replace:"
"""What a card held goes to the one that replaces it."""
OWED = "owed:"
"""What a program gives later than the sale or activity it is for."""

OWN = (SALE, RETURN, ACTIVITY, GIFT, PAYMENT, CHECKOUT, CORRECTION, REPLACE, OWED)


def require_free(key: str) -> None:
    """Refuse a key that only the ledger gives: RecordError `posting-key`."""
    if key.startswith(OWN):
        raise RecordError(
            "posting-key",
            f"keys that begin with '{key.partition(':')[0]}:' are the ledger's own",
            remedy="put another word before it, such as the name of the program that posts",
            subject=Subject(record=key),
        )
