"""Whether any row at all can pass a filter.

Owns: for each column a filter compares, one value of every kind the filter can tell apart.
Never does: guessing; where the values are too many, or the filter asks more than comparisons with
values, it counts as passable.
Tested in: tests/unit/mapping/test_passable.py.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, localcontext
from itertools import product
from typing import Any

from connector.mapping.columns import Column
from connector.mapping.filters.conditions import Filter
from connector.mapping.values import Value, ValueType

_MOST = 20_000
"""Combinations that are tried; no filter a person writes needs as many."""
_DIGITS = 60
"""More than any number column holds, so that a number and its neighbours stay apart."""


def nothing_passes(filter: Filter) -> bool:
    """Whether no row the table can hold passes."""
    if filter.compared is None:
        return False
    tried = [list(_kinds(column, filter.compared)) for column in filter.columns]
    if math.prod(len(values) for values in tried) > _MOST:
        return False
    return not any(filter.admits(values) for values in product(*tried))


def both_passable(first: Filter, second: Filter) -> bool:
    """Whether one row may pass two filters of one table, as far as can be told."""
    if first.compared is None or second.compared is None:
        return True
    columns = {column.name: column for column in (*first.columns, *second.columns)}
    places = {name: place for place, name in enumerate(columns)}
    compared = {
        name: first.compared.get(name, frozenset()) | second.compared.get(name, frozenset())
        for name in columns
    }

    def test(values: Sequence[Value]) -> bool:
        return all(
            one.admits([values[places[column.name]] for column in one.columns])
            for one in (first, second)
        )

    text = f"({first.text}) and ({second.text})"
    return not nothing_passes(Filter(text, tuple(columns.values()), test, compared))


def _kinds(column: Column, compared: Mapping[str, Iterable[Value]]) -> Iterator[Value]:
    """A value of every kind: those compared with, one on each side of them, and none."""
    if column.nullable:
        yield None
    known = [value for value in compared.get(column.name, ()) if value is not None]
    if column.type is ValueType.BOOLEAN:
        yield from (False, True)
    elif column.type is ValueType.CHOICE and column.choices:
        yield from column.choices
    elif column.type in (ValueType.INTEGER, ValueType.DECIMAL):
        yield from _numbers(column, known)
    elif column.type in _STEPS:
        any_value, step = _STEPS[column.type]
        yield from (beside for value in (any_value, *known) for beside in _beside(value, step))
    else:
        for text in ("", *known):
            # What follows directly on a text is between it and every later one.
            yield from (one for one in (text, f"{text}\x01") if _fits(one, column))


def _numbers(column: Column, known: Iterable[Any]) -> Iterator[Value]:
    whole = column.type is ValueType.INTEGER
    step = Decimal(1).scaleb(-(0 if whole else column.scale if column.scale is not None else 12))
    low, high = column.minimum, column.maximum
    bounds = [Decimal(0), *known, *(Decimal(limit) for limit in (low, high) if limit is not None)]
    with localcontext(prec=_DIGITS):
        near = {number for bound in bounds for number in (bound - step, bound, bound + step)}
    for number in near:
        inside = (low is None or number >= low) and (high is None or number <= high)
        if inside and (not whole or number == number.to_integral_value()):
            yield number


def _beside(value: Any, step: timedelta) -> Iterator[Value]:
    yield value
    moves: tuple[Callable[[], Any], ...] = (lambda: value - step, lambda: value + step)
    for move in moves:
        try:
            yield move()
        except OverflowError:
            continue  # there is nothing before the first day, or after the last


def _fits(text: Value, column: Column) -> bool:
    return column.max_length is None or len(str(text)) <= column.max_length


_STEPS: Mapping[ValueType, tuple[Any, timedelta]] = {
    ValueType.DATE: (date(2000, 1, 1), date.resolution),
    ValueType.INSTANT: (datetime(2000, 1, 1, tzinfo=UTC), datetime.resolution),
}
"""Some value, and the smallest step between two."""
