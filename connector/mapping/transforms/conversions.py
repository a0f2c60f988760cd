"""How the values of one column become values of another where the map adds no transform.

Owns: which pairs of types can be mapped as they are, by which conversion, and what of their
values counts in a comparison.
Never does: value maps, lookups, defaults; the row of the map brings those.
Tested in: tests/unit/mapping/test_compiled.py.
"""

from __future__ import annotations

from collections.abc import Mapping

from connector.mapping.columns import Column
from connector.mapping.transforms import translate
from connector.mapping.transforms.translate import Translation
from connector.mapping.values import ValueType

_TIMES = frozenset({ValueType.DATE, ValueType.INSTANT})
_FROM: Mapping[ValueType, frozenset[ValueType]] = {
    ValueType.TEXT: frozenset({ValueType.INTEGER, ValueType.DECIMAL}),
    ValueType.INTEGER: frozenset({ValueType.TEXT, ValueType.DECIMAL}),
    ValueType.DECIMAL: frozenset({ValueType.TEXT, ValueType.INTEGER}),
    ValueType.INSTANT: frozenset({ValueType.DATE}),
}
_INTO: Mapping[ValueType, Translation] = {
    ValueType.TEXT: translate.as_text,
    ValueType.INTEGER: translate.as_integer,
    ValueType.DECIMAL: translate.as_decimal,
    ValueType.INSTANT: translate.as_instant,
}


def by_date(row_type: ValueType | None, source: Column, target: Column) -> bool:
    """Whether the two columns are compared by date: `type: date`, or one of them is a date."""
    types = {source.type, target.type}
    return types <= _TIMES and ValueType.DATE in {row_type, *types}


def conversion(row_type: ValueType | None, source: Column, target: Column) -> Translation | None:
    """The translation from `source` to `target`; None where their values cannot be mapped."""
    if row_type not in {None, source.type, target.type} and not by_date(row_type, source, target):
        return None
    if by_date(row_type, source, target):
        if target.type is ValueType.INSTANT:
            return translate.chain(translate.as_date, translate.as_instant)
        return translate.as_date
    if source.type is target.type:
        return translate.identity if _same_form(source, target) else None
    if source.type in _FROM.get(target.type, frozenset()):
        return _INTO[target.type]
    return None


def pairs_as_key(commerce: Column, dataverse: Column) -> bool:
    """Whether equal keys of the two columns have one normal form."""
    types = {commerce.type, dataverse.type}
    return types <= {ValueType.TEXT, ValueType.INTEGER} or types == {ValueType.DATE}


def _same_form(source: Column, target: Column) -> bool:
    """References differ by system; choices agree only where both sides share values."""
    if source.type is ValueType.REFERENCE:
        return False
    if source.type is ValueType.CHOICE:
        return bool(set(source.choices or ()) & set(target.choices or ()))
    return True
