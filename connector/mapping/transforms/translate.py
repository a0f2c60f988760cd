"""Translation of one value to the other side, as functions prepared once per field.

Owns: value maps, defaults, lookups, type changes, and fitting a value into a column's facets.
Never does: skipping or guessing; what cannot be translated raises `Untranslatable`.
Tested in: tests/unit/mapping/test_translate.py.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from typing import TypeAlias

from connector.mapping.columns import Column
from connector.mapping.references import Lookup, TargetMissing
from connector.mapping.values import Value, ValueType, has_control

Translation: TypeAlias = Callable[[Value], Value]

_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,4})?", re.ASCII)
_DIGITS = 19
"""Digits of the longest whole number a column holds (64 bits)."""


class Untranslatable(Exception):
    """One value cannot go to the other side. The planner adds map, record and field."""

    def __init__(self, code: str, message: str, remedy: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.remedy = remedy


def identity(value: Value) -> Value:
    """The same value."""
    return value


def no_way(value: Value) -> Value:
    """For a side the map does not write to and has no way to."""
    raise Untranslatable(
        "transform-no-way-back",
        f"the map has no way for {value!r} to this side",
        "nothing: this row goes the other way",
    )


def chain(*steps: Translation) -> Translation:
    """One step after the other; identity steps cost nothing."""
    real = [step for step in steps if step is not identity]
    if not real:
        return identity
    if len(real) == 1:
        return real[0]
    if len(real) == 2:
        first, second = real
        return lambda value: second(first(value))

    def run(value: Value) -> Value:
        for step in real:
            value = step(value)
        return value

    return run


def value_map(table: Mapping[Value, Value], fold: bool, unknown: Translation) -> Translation:
    """By table; null stays null. `fold` compares texts without case.

    `unknown` is asked about a value that is not in the table.
    """
    spelled: dict[Value, Value] = {None: None, **table}
    if not fold:

        def by_value(value: Value) -> Value:
            try:
                return spelled[value]
            except KeyError:
                return unknown(value)

        return by_value
    folded = {str(key).casefold(): value for key, value in table.items()}

    def by_symbol(value: Value) -> Value:
        try:
            return spelled[value]
        except KeyError:
            try:
                return folded[str(value).casefold()]
            except KeyError:
                return unknown(value)

    return by_symbol


def unknown_choice(known: str) -> Translation:
    """Refuses a value that is in no value map; `known` lists those that are."""

    def refuse(value: Value) -> Value:
        raise Untranslatable(
            "choice-unknown",
            f"the value {value!r} is not in the value map",
            f"add {value!r} to `values` of this field, or correct the record; known are {known}",
        )

    return refuse


def default(value_if_null: Value) -> Translation:
    """Null becomes the default."""
    return lambda value: value_if_null if value is None else value


def constant(fixed: Value) -> Translation:
    """Always the same value."""
    return lambda _value: fixed


def to_reference(lookup: Lookup) -> Translation:
    """A text becomes the id of the row it names; raises `TargetMissing`."""
    find = _by_text(lookup)
    return find if lookup.then is None else chain(to_reference(lookup.then), find)


def present(lookup: Lookup) -> Translation:
    """A text stays as it is, where it names a row; raises `TargetMissing`."""
    find = to_reference(lookup)

    def check(value: Value) -> Value:
        find(value)
        return value

    return check


def from_reference(lookup: Lookup) -> Translation:
    """An id becomes the text of its row; raises `TargetMissing`."""
    find = _by_id(lookup)
    return find if lookup.then is None else chain(find, from_reference(lookup.then))


def _by_text(lookup: Lookup) -> Translation:
    def find(value: Value) -> Value:
        if value is None:
            return None
        text = str(value)
        if has_control(text):
            raise Untranslatable(
                "key-unusable",
                f"no row of {lookup.entity} is found by a text with a control character in it",
                "correct the value on the side it comes from",
            )
        found = lookup.id_of(text)
        if found is None:
            if lookup.ambiguous(text):
                raise Untranslatable(
                    "reference-ambiguous",
                    f"several rows of {lookup.entity} have the {lookup.called} {text!r}",
                    "give each of them a value of its own",
                )
            raise TargetMissing(lookup, text, by_id=False)
        return found

    return find


def _by_id(lookup: Lookup) -> Translation:
    def find(value: Value) -> Value:
        if value is None:
            return None
        found = lookup.text_of(str(value))
        if found is None:
            raise TargetMissing(lookup, str(value), by_id=True)
        return found

    return find


def as_date(value: Value) -> Value:
    """An instant becomes its date in UTC; a date stays."""
    return value.date() if isinstance(value, datetime) else value


def as_instant(value: Value) -> Value:
    """A date becomes its midnight in UTC; an instant stays."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return datetime.combine(value, time(0), UTC)
    return value


def as_text(value: Value) -> Value:
    """Numbers and choices as their plain text, never with an exponent."""
    if value is None or isinstance(value, str):
        return value
    return format(value, "f") if isinstance(value, Decimal) else str(value)


def as_integer(value: Value) -> Value:
    """A whole number out of text or decimal; raises `Untranslatable` where it is none."""
    if value is None or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    number = as_decimal(value)
    assert isinstance(number, Decimal)
    if number.adjusted() >= _DIGITS:
        raise _too_large(number)
    if number != number.to_integral_value():
        raise Untranslatable(
            "number-not-whole",
            f"{value!r} is not a whole number",
            "correct the value, or map it to a decimal column",
        )
    return int(number)


def as_decimal(value: Value) -> Value:
    """A decimal out of a whole number or text; raises `Untranslatable` where it is none."""
    if value is None or isinstance(value, Decimal):
        return value
    text = str(value).strip()
    if not _NUMBER.fullmatch(text):
        raise Untranslatable(
            "number-malformed", f"{value!r} is not a number", "correct the value in the source"
        )
    return Decimal(text)


def _too_large(number: Decimal) -> Untranslatable:
    return Untranslatable(
        "number-out-of-range",
        f"{number:.6e} has more digits than any column takes",
        "correct the value in the source",
    )


def fit(column: Column) -> Translation:
    """Into the facets of the target: scale by rounding half to even, length and range by refusal.

    Dataverse refuses a text that is too long (0x80044331) instead of cutting it; so do we, with
    the record's name, before it costs a request.
    """
    if column.type is ValueType.TEXT and column.max_length is not None:
        return _fit_length(column.max_length)
    if column.type is ValueType.DECIMAL:
        return chain(_fit_scale(column.scale), _fit_range(column))
    if column.type is ValueType.INTEGER:
        return _fit_range(column)
    if column.type is ValueType.CHOICE and column.choices:
        return _fit_choice(column.choices)
    return identity


def _fit_length(longest: int) -> Translation:
    """Lengths count UTF-16 units, as .NET and SQL Server do: an emoji takes two."""

    def check(value: Value) -> Value:
        if value is None:
            return None
        assert isinstance(value, str)
        if (
            len(value) * 2 > longest
            and len(value.encode("utf-16-le", "surrogatepass")) > 2 * longest
        ):
            raise Untranslatable(
                "text-too-long",
                f"the text has {len(value)} characters, the column takes {longest}",
                "shorten the value in the source, or lengthen the column",
            )
        return value

    return check


def _fit_scale(scale: int | None) -> Translation:
    if scale is None:
        return identity
    quantum = Decimal(1).scaleb(-scale)

    def round_to(value: Value) -> Value:
        if value is None:
            return None
        assert isinstance(value, Decimal)
        try:
            return value.quantize(quantum, ROUND_HALF_EVEN)
        except InvalidOperation:
            # More digits than the decimal context holds: no column does either.
            raise _too_large(value) from None

    return round_to


def _fit_range(column: Column) -> Translation:
    low, high = column.minimum, column.maximum
    if low is None and high is None:
        return identity

    def check(value: Value) -> Value:
        if value is None:
            return None
        if (low is not None and value < low) or (high is not None and value > high):  # type: ignore[operator]
            raise Untranslatable(
                "number-out-of-range",
                f"{value} is outside the column's range {low} to {high}",
                "correct the value in the source, or widen the column",
            )
        return value

    return check


def _fit_choice(choices: Mapping[Value, str]) -> Translation:
    known = ", ".join(str(value) for value in choices)

    def check(value: Value) -> Value:
        if value is not None and value not in choices:
            raise Untranslatable(
                "choice-unknown",
                f"the target column has no choice {value!r}",
                f"correct `values` of this field; the column knows {known}",
            )
        return value

    return check
