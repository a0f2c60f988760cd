"""What is known of the rows that lookups point to.

Owns: for each lookup target, which text finds which id and back, and what is still to be asked.
Never does: asking; the engine reads the missing targets in one call and adds them here.
Tested in: tests/unit/mapping/test_references.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from connector.mapping.values import Side, Value, normal_key

_BETWEEN = " / "


def several(parts: Sequence[Value]) -> str:
    """The texts of several columns as one text, for people too; `parts_of` is the way back."""
    texts = ("" if part is None else str(part).rstrip(" ") for part in parts)
    # A slash is doubled, so that what stands between two parts stands in none of them.
    return _BETWEEN.join(text.replace("/", "//") for text in texts)


def parts_of(text: str) -> list[str | None]:
    """The parts of what `several` made."""
    return [part.replace("//", "/") or None for part in text.split(_BETWEEN)]


class Beside(NamedTuple):
    """A further column that rows are found by: a text, or the id of a row `then` names."""

    column: str
    then: Lookup | None


class Lookup:
    """One target: the rows of `entity` on `side`, found by the column `column`.

    That holds a text, or with `then` the id of a row `then` finds by its own column: a lookup over
    two steps. With columns `beside` it, rows are found by all of them, whose texts stand as one
    (`several`). A row spelled exactly like the text comes first, then one that is equal without
    case and trailing blanks. Texts that several rows share find none of them.
    """

    __slots__ = (
        "_by_normal",
        "_by_text",
        "_missing_ids",
        "_missing_texts",
        "_texts",
        "beside",
        "column",
        "entity",
        "side",
        "then",
    )

    def __init__(
        self,
        side: Side,
        entity: str,
        column: str,
        then: Lookup | None = None,
        beside: Sequence[Beside] = (),
    ) -> None:
        self.side = side
        self.entity = entity
        self.column = column
        self.then = then
        self.beside = tuple(beside)
        self._by_text: dict[str, str | None] = {}
        self._by_normal: dict[str, str | None] = {}
        self._texts: dict[str, str] = {}
        self._missing_texts: set[str] = set()
        self._missing_ids: set[str] = set()

    def clear(self) -> None:
        """Know nothing any more: rows come, go and are renamed between two runs."""
        for known in (self._by_text, self._by_normal, self._texts):
            known.clear()
        for missing in (self._missing_texts, self._missing_ids):
            missing.clear()
        for further in (self.then, *(one.then for one in self.beside)):
            if further is not None:
                further.clear()

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column a row is found by."""
        return (self.column, *(one.column for one in self.beside))

    @property
    def called(self) -> str:
        """The columns for people, and for telling one lookup in a table from another."""
        return " + ".join(self.columns)

    def id_of(self, text: str) -> str | None:
        """The id of the row with this text; None if not there, not asked yet, or ambiguous."""
        if text in self._by_text:
            return self._by_text[text]
        return self._by_normal.get(_normal(text))

    def ambiguous(self, text: str) -> bool:
        """Whether several rows have this text, so that none of them is meant for sure."""
        return self.id_of(text) is None and _normal(text) in self._by_normal

    def text_of(self, id: str) -> str | None:
        """The text of the row with this id; None if it is not there or not asked yet."""
        return self._texts.get(id)

    def spoken(self, id: str) -> str | None:
        """What a person knows the row by: the text at the end of all steps, as far as known."""
        text = self.text_of(id)
        if text is None or self.then is None:
            return text
        return self.then.spoken(text)

    def asked_text(self, text: str) -> bool:
        """Whether the answer for this text is known, be it found or missing."""
        normal = _normal(text)
        return normal in self._by_normal or normal in self._missing_texts

    def asked_id(self, id: str) -> bool:
        """Whether the answer for this id is known, be it found or missing."""
        return id in self._texts or id in self._missing_ids

    def add(self, id: str, text: str) -> None:
        """A row that exists."""
        normal = _normal(text)
        for table, key in ((self._by_text, text), (self._by_normal, normal)):
            if table.setdefault(key, id) != id:
                table[key] = None
        self._texts[id] = text
        self._missing_texts.discard(normal)
        self._missing_ids.discard(id)

    def outdated(self, id: str, text: str) -> bool:
        """Whether another row than this one was known to have its text: ask for the text anew."""
        return self._by_normal.get(_normal(text)) not in (None, id)

    def forget(self, texts: Iterable[str]) -> None:
        """Which rows have these texts is about to be told anew: rows come, go and are renamed."""
        known = self._by_normal.keys() & {_normal(text) for text in texts}
        for normal in known:
            del self._by_normal[normal]
        for text in [text for text in self._by_text if known and _normal(text) in known]:
            del self._by_text[text]

    def miss_texts(self, texts: Iterable[str]) -> None:
        """Texts that find no row, as far as this run knows."""
        self._missing_texts.update(_normal(text) for text in texts)

    def miss_ids(self, ids: Iterable[str]) -> None:
        """Ids that name no row, as far as this run knows."""
        self._missing_ids.update(ids)


def _normal(text: str) -> str:
    return normal_key(text) or ""


class TargetMissing(Exception):
    """A value refers to a row that is not there (yet).

    Raised by translations and caught by the planner, which turns it into a wait; it never
    leaves the engine.
    """

    def __init__(self, lookup: Lookup, value: str, *, by_id: bool) -> None:
        super().__init__(value)
        self.lookup = lookup
        self.value = value
        self.by_id = by_id
