"""The id a row gets on the side it is added to.

Owns: that the same row of the same source gets the same id, whoever adds it and how often.
Never does: knowing a row's content; two rows of one key are two rows.
Tested in: tests/unit/engine/test_append_ids.py.
"""

from __future__ import annotations

from hashlib import sha1
from uuid import UUID

_NAMESPACE = UUID("6f1c7a52-5d0b-4f5e-9a39-1f2f6a0d7c11").bytes
_VARIANT = {digit: "89ab"[int(digit, 16) % 4] for digit in "0123456789abcdef"}


def id_of(map: str, world: str, row: str) -> str:
    """The id under `map` of the row with this id in the source called `world`.

    A name-based GUID (version 5, RFC 9562), put together here: an object of the standard library
    that is made and written out takes twice as long, for every row.
    """
    name = "\x1e".join((map, world, row)).encode()
    digits = sha1(_NAMESPACE + name, usedforsecurity=False).hexdigest()
    last = f"{_VARIANT[digits[16]]}{digits[17:20]}-{digits[20:32]}"
    return f"{digits[:8]}-{digits[8:12]}-5{digits[13:16]}-{last}"
