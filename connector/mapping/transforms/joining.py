"""Several values as one text, and the way back to them.

Owns: how parts are put together and taken apart: by a separator, or as what rows are found by.
Never does: knowing columns; guessing: a text that could be parted in two ways is refused.
Tested in: tests/unit/mapping/test_joining.py.

For parts that are not refused, `split(join(parts))` is `parts`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NoReturn, Protocol

from connector.mapping.references import parts_of, several
from connector.mapping.transforms.translate import Untranslatable
from connector.mapping.values import Value

Parts = Sequence[Value]
"""Texts, or None for no value, one for each column."""


class Joining(Protocol):
    """One way to put parts together."""

    def join(self, parts: Parts) -> Value:
        """The whole; None where there is nothing."""
        ...

    def refuse(self, parts: Parts) -> None:
        """Raise `Untranslatable` for parts whose whole would not come apart into them again."""
        ...

    def split(self, whole: Value) -> Parts:
        """The parts of a whole; raises `Untranslatable`."""
        ...


@dataclass(frozen=True, slots=True)
class Loose:
    """One after the other; those without a value are left out, so that there is no way back."""

    by: str

    def join(self, parts: Parts) -> Value:
        """Those that hold a value."""
        return self.by.join(str(part) for part in parts if part is not None) or None

    def refuse(self, parts: Parts) -> None:
        """Nothing."""

    def split(self, whole: Value) -> NoReturn:  # noqa: ARG002
        """Never: nobody knows where one of them ends."""
        raise AssertionError("a row with a way back keeps the places of its parts")


@dataclass(frozen=True, slots=True)
class Placed:
    """Each part in its place, so that the whole comes apart again.

    Behind the last part that holds a value there is no separator.
    """

    by: str
    columns: tuple[str, ...]

    def join(self, parts: Parts) -> Value:
        """An empty part in the middle leaves its place empty."""
        texts = ["" if part is None else str(part) for part in parts]
        while texts and not texts[-1]:
            texts.pop()
        return self.by.join(texts) or None

    def refuse(self, parts: Parts) -> None:
        """A part that holds the separator, or would begin the whole with nothing but blanks."""
        for column, part in zip(self.columns, parts, strict=True):
            if part is not None and self.by in str(part):
                raise Untranslatable(
                    "join-ambiguous",
                    f"`{column}` holds {part!r}, and with it what stands between joined columns, "
                    f"{self.by!r}: nobody could tell where it ends",
                    "correct the value, or join by something no value holds",
                )
        held = [part is not None for part in parts]
        if not self.by.strip() and any(held) and not held[0]:
            raise Untranslatable(
                "join-ambiguous",
                f"`{self.columns[0]}` is empty, and joined by blanks the next one would be taken "
                "for it",
                "fill the column, or join by something else than blanks",
            )
        if list(self.split(self.join(parts))) != [None if p is None else str(p) for p in parts]:
            # A part may end with the beginning of a separator of several characters.
            raise Untranslatable(
                "join-ambiguous",
                f"{self.join(parts)!r} would come apart in another way than it was joined",
                "correct the value, or join by something no value holds",
            )

    def split(self, whole: Value) -> Parts:
        """As many parts as columns; those that are not there are empty."""
        texts = [] if whole is None else str(whole).split(self.by)
        if len(texts) > len(self.columns):
            raise Untranslatable(
                "join-ambiguous",
                f"{whole!r} has {len(texts)} parts, and there are {len(self.columns)} columns: "
                f"{', '.join(self.columns)}",
                "correct the value on the side it comes from",
            )
        texts += [""] * (len(self.columns) - len(texts))
        return [text or None for text in texts]


@dataclass(frozen=True, slots=True)
class AsKey:
    """What a row is found by that is known by several columns; `own` are the places that count.

    The others only say where it is looked for, such as in which company.
    """

    columns: tuple[str, ...]
    own: tuple[int, ...]

    def join(self, parts: Parts) -> Value:
        """All of them; None where none of those that count holds a value."""
        if all(parts[place] is None for place in self.own):
            return None
        return several(parts)

    def refuse(self, parts: Parts) -> None:
        """A row is asked for by its first column."""
        if parts[0] is None and self.join(parts) is not None:
            raise Untranslatable(
                "lookup-incomplete",
                f"`{self.columns[0]}` is empty, and the row is looked up by it and by others",
                "fill the column, or empty the others too",
            )

    def split(self, whole: Value) -> Parts:
        """The parts a row is known by."""
        return [None] * len(self.columns) if whole is None else parts_of(str(whole))
