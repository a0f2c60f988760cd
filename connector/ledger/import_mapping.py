"""From the columns of a file to the fields of an entity.

Owns: templates, constants, value replacements, the shorthands for member files, and the check
that they fit the file's header.
Never does: reading a file; writing to the ledger.
Tested in: tests/unit/ledger/test_import_mapping.py.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

from connector.errors import Subject, UsageError
from connector.ledger.fields import Field, Value, fold

_PLACE_HOLDER = re.compile(r"\{([^{}]+)\}")

BLANK_WORDS = frozenset({"", "0", "no", "n", "false", "null", "1900-01-01"})
"""Cells that mean "not so" in a column of `--blocked-if`, folded."""

Cells: TypeAlias = Sequence[str]
Reading: TypeAlias = Callable[[Cells], Value]


class Form(Protocol):
    """What lines are made into: an entity, or anything else with fields and a key."""

    @property
    def name(self) -> str:
        """For messages."""

    @property
    def fields(self) -> Sequence[Field]:
        """All there are."""

    @property
    def key(self) -> Field:
        """The one that must come from the file."""

    def field(self, name: str) -> Field:
        """The field of that name in any case; MapError `column-unknown`."""


@dataclass(frozen=True, slots=True)
class ImportMapping:
    """How the fields of an entity get their values; field names in any case.

    `sources` gives a field the cell of a column, or a template such as `{Year}-{Month}`;
    `constants` one text for all records; `replacements` other texts for some of the cells,
    compared without case. Fields without any of these take the column of their own name, if
    the file has one. Records whose cell in column `blocked_if` is not blank, zero or no become
    Blocked, all others keep what they have or are AsCardTender.
    """

    sources: Mapping[str, str] = field(default_factory=dict)
    constants: Mapping[str, str] = field(default_factory=dict)
    replacements: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    blocked_if: str | None = None
    date_format: str | None = None
    """As of `datetime.strptime`; None for YYYY-MM-DD and YYYY-MM."""


class RecordReader:
    """Makes the values of one record from the cells of one line.

    Raises UsageError (`column-missing`, `field-twice`, `key-unmapped`, `template-invalid`) and
    MapError `column-unknown` when the mapping does not fit the entity or the header.
    """

    def __init__(self, entity: Form, header: Sequence[str], mapping: ImportMapping) -> None:
        self._entity = entity
        self._columns = {fold(name): place for place, name in enumerate(header) if name}
        self._header = [name for name in header if name]
        self._date_format = mapping.date_format
        self._replacements = {
            entity.field(name).name: {fold(old): new for old, new in pairs.items()}
            for name, pairs in mapping.replacements.items()
        }
        self._readings = self._built(mapping)
        if entity.key.name not in self._readings:
            raise UsageError(
                "key-unmapped",
                f"no column gives '{entity.key.name}', the key of {entity.name}",
                remedy=f"add --set {entity.key.name}=COLUMN, with one of: {self._known_columns()}",
                subject=Subject(entity=entity.name, field=entity.key.name),
            )

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields that get a value."""
        return tuple(self._readings)

    def read(self, cells: Cells) -> dict[str, Value]:
        """The values of one record; raises RecordError when one does not fit its field."""
        return {name: reading(cells) for name, reading in self._readings.items()}

    # ------------------------------------------------------------------ building

    def _built(self, mapping: ImportMapping) -> dict[str, Reading]:
        readings: dict[str, Reading] = {}
        for name, source in mapping.sources.items():
            one = self._fresh(name, readings)
            readings[one.name] = self._parsed(one, self._text(source))
        for name, text in mapping.constants.items():
            one = self._fresh(name, readings)
            readings[one.name] = _constant(one.parse(text, mapping.date_format))
        for one in self._entity.fields:
            if one.name not in readings and fold(one.name) in self._columns:
                readings[one.name] = self._parsed(one, self._cell(one.name))
        if mapping.blocked_if is not None:
            one = self._entity.field("CardTenderType")
            otherwise = readings.get(one.name, _constant("AsCardTender"))
            readings[one.name] = _blocked(self._cell(mapping.blocked_if), otherwise)
        return readings

    def _fresh(self, name: str, taken: Mapping[str, Reading]) -> Field:
        one = self._entity.field(name)
        if one.name in taken:
            raise UsageError(
                "field-twice",
                f"field '{one.name}' is given twice",
                remedy="give it one column, one template or one constant",
                subject=Subject(entity=self._entity.name, field=one.name),
            )
        return one

    def _parsed(self, one: Field, text: Callable[[Cells], str]) -> Reading:
        replaced, date_format = self._replacements.get(one.name, {}), self._date_format
        if not replaced:
            return lambda cells: one.parse(text(cells), date_format)

        def reading(cells: Cells) -> Value:
            held = text(cells)
            return one.parse(replaced.get(fold(held.strip()), held), date_format)

        return reading

    def _text(self, source: str) -> Callable[[Cells], str]:
        """A column's cell, or a template over several."""
        if fold(source) in self._columns or not _PLACE_HOLDER.search(source):
            return self._cell(source)
        # Split by the place holders: literal texts and column names take turns.
        parts = _PLACE_HOLDER.split(source)
        literals, cells_of = parts[::2], [self._cell(name) for name in parts[1::2]]
        if any(brace in literal for literal in literals for brace in "{}"):
            raise UsageError(
                "template-invalid",
                f"the template '{source}' has a brace that names no column",
                remedy="write it like {Year}-{Month}",
            )
        head, tails = literals[0], literals[1:]

        def text(cells: Cells) -> str:
            held = [cell(cells).strip() for cell in cells_of]
            if not any(held):
                return ""
            return head + "".join(map("".join, zip(held, tails, strict=True)))

        return text

    def _cell(self, column: str) -> Callable[[Cells], str]:
        place = self._columns.get(fold(column))
        if place is None:
            raise UsageError(
                "column-missing",
                f"the file has no column '{column}'",
                remedy=f"it has: {self._known_columns()}; one value for every line is given by "
                "--constant FIELD=TEXT",
            )
        return lambda cells: cells[place]

    def _known_columns(self) -> str:
        return ", ".join(self._header)


def _constant(value: Value) -> Reading:
    return lambda _: value


def _blocked(cell: Callable[[Cells], str], otherwise: Reading) -> Reading:
    def reading(cells: Cells) -> Value:
        if fold(cell(cells).strip()) in BLANK_WORDS:
            return otherwise(cells)
        return "Blocked"

    return reading
