"""Number sequences: the numbers of cards that nobody typed.

Owns: giving out each number once, within the transaction that uses it.
Never does: knowing what is numbered.
Tested in: tests/unit/ledger/test_desk.py.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import sqlalchemy as sa

from connector.errors import ConfigError, UsageError
from connector.ledger.schema import number_sequences as sequences

_FORM = re.compile(r"[^#\x00-\x1f]*#{1,18}[^#\x00-\x1f]*")


def set_sequence(connection: sa.Connection, name: str, form: str, following: int) -> None:
    """Begin or change a sequence: `form` has one run of # for the digits of `following`.

    Raises UsageError `sequence-form`.
    """
    if not _FORM.fullmatch(form) or following < 0 or len(str(following)) > form.count("#"):
        raise UsageError(
            "sequence-form",
            f"'{form}' is no form for the number {following}",
            remedy="write one run of # for the digits, as in 'L-######', and a number that fits",
        )
    connection.execute(sa.delete(sequences).where(sequences.c.name == name))
    row = {"name": name, "form": form, "next": following}
    connection.execute(sa.insert(sequences), [row])


def has_sequence(connection: sa.Connection, name: str) -> bool:
    """Whether there is one of that name."""
    query = sa.select(sequences.c.name).where(sequences.c.name == name)
    return connection.scalar(query) is not None


def next_number(connection: sa.Connection, name: str, taken: Callable[[str], bool]) -> str:
    """The next number that is not `taken`; the sequence goes on behind it.

    Raises ConfigError: `sequence-missing`, `sequence-used-up`.
    """
    row = connection.execute(sa.select(sequences).where(sequences.c.name == name)).one_or_none()
    if row is None:
        raise ConfigError(
            "sequence-missing",
            f"there is no number sequence for {name}",
            remedy="give a number, or set a sequence up: `dualwrite ledger sequence 'L-######'`",
        )
    digits, following = row.form.count("#"), int(row.next)
    while len(str(following)) <= digits:
        number = re.sub("#+", f"{following:0{digits}}", row.form)
        following += 1
        if not taken(number):
            change = sa.update(sequences).where(sequences.c.name == name)
            connection.execute(change.values(next=following))
            return number
    raise ConfigError(
        "sequence-used-up",
        f"the number sequence {row.form} has no number left",
        remedy="set one with more digits: `dualwrite ledger sequence 'L-########'`",
    )
