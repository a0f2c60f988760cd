"""Values as a map file writes them, in the canonical form of a column.

Owns: which YAML scalar stands for which value: constants, defaults, value maps, active marks.
Never does: guessing; a scalar that does not fit its column raises `Untranslatable`.
Tested in: tests/unit/mapping/test_compiler.py.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime

from connector.mapping.columns import Column
from connector.mapping.transforms.translate import Untranslatable, as_decimal, as_integer
from connector.mapping.values import Value, ValueType

_FORMS = {
    ValueType.TEXT: ", in quotes",
    ValueType.DATE: ", such as 2026-01-31",
    ValueType.INSTANT: ", such as 2026-01-31T08:00:00Z",
}
"""How a value of a type is written, where that does not go without saying."""


def canonical(scalar: object, column: Column) -> Value:
    """The column's value for `scalar`, never None.

    Raises `Untranslatable`: `value-wrong-type`, `choice-missing`.
    """
    if column.type is ValueType.CHOICE and column.choices:
        return _choice(scalar, column)
    try:
        value = _read(scalar, column.type)
    except (ValueError, Untranslatable):
        value = None
    if value is None:
        form = _FORMS.get(column.type, "")
        raise Untranslatable(
            "value-wrong-type",
            f"{scalar!r} is no value for `{column.name}` ({column.type})",
            f"write a value of type {column.type}{form}",
        )
    return value


def _choice(scalar: object, column: Column) -> Value:
    assert column.choices is not None
    for choice in column.choices:
        if str(choice).casefold() == str(scalar).casefold():
            return choice
    known = ", ".join(
        str(choice) if label in (None, "", str(choice)) else f"{choice} ({label})"
        for choice, label in column.choices.items()
    )
    raise Untranslatable(
        "choice-missing",
        f"`{column.name}` has no choice {scalar!r}",
        f"write one of {known}, or add the choice to the column",
    )


def _read(scalar: object, wanted: ValueType) -> Value:
    """None, `ValueError` or `Untranslatable` where the scalar is no such value."""
    reader = _READERS.get(wanted)
    if reader is None or (isinstance(scalar, bool) and wanted is not ValueType.BOOLEAN):
        return None
    return reader(scalar)


def _boolean(scalar: object) -> Value:
    """The keys of a value map are texts, hence `true` in quotes as well."""
    return scalar if isinstance(scalar, bool) else _TRUTH.get(str(scalar).casefold())


def _text(scalar: object) -> Value:
    return scalar if isinstance(scalar, str) and scalar else None


def _date(scalar: object) -> Value:
    return date.fromisoformat(scalar) if isinstance(scalar, str) else None


def _instant(scalar: object) -> Value:
    moment = datetime.fromisoformat(scalar) if isinstance(scalar, str) else None
    return moment.astimezone(UTC) if moment is not None and moment.tzinfo is not None else None


_TRUTH = {"true": True, "false": False}
_READERS: Mapping[ValueType, Callable[[object], Value]] = {
    ValueType.BOOLEAN: _boolean,
    ValueType.CHOICE: lambda scalar: scalar if isinstance(scalar, (int, str)) else None,
    ValueType.INTEGER: lambda scalar: as_integer(str(scalar)),
    ValueType.DECIMAL: lambda scalar: as_decimal(str(scalar)),
    ValueType.TEXT: _text,
    ValueType.DATE: _date,
    ValueType.INSTANT: _instant,
}
