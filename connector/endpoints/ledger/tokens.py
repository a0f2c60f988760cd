"""Positions in the ledger's feed and places in a scan, as opaque text.

Owns: their form `kind.sequence.digest[.id]`; the digest ties them to entity and columns.
Never does: knowing whether the feed still reaches back that far.
Tested in: tests/unit/endpoints/test_ledger_tokens.py.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Literal, NamedTuple

from connector.errors import PositionExpiredError, Subject


class Token(NamedTuple):
    """A place: everything up to `sequence` is known; a scan has also seen ids up to `after`."""

    sequence: int
    after: str | None = None


def digest(entity: str, columns: Sequence[str]) -> str:
    """What ties a token to an entity and its column list, as 16 hexadecimal digits."""
    text = "\x1f".join([entity, *(column.casefold() for column in columns)])
    return hashlib.blake2s(text.encode(), digest_size=8).hexdigest()


def position(sequence: int, tie: str) -> str:
    """A position in the change feed."""
    return f"feed.{sequence}.{tie}"


def place(sequence: int, after: str, tie: str) -> str:
    """A place in a scan that began when the feed stood at `sequence`."""
    return f"scan.{sequence}.{tie}.{after}"


def parse(text: str, kind: Literal["feed", "scan"], tie: str, entity: str) -> Token:
    """The token in `text`; PositionExpiredError when it was not made for this call."""
    parts = text.split(".", 3)
    whole = len(parts) == (3 if kind == "feed" else 4)
    if not whole or parts[0] != kind or not parts[1].isdecimal() or parts[2] != tie:
        raise PositionExpiredError(
            "position-expired",
            "this position was taken for another entity or another column list",
            remedy="scan the whole entity, then go on from the scan's position",
            subject=Subject(entity=entity),
        )
    return Token(int(parts[1]), parts[3] if kind == "scan" else None)
