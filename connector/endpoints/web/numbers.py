"""JSON whose numbers are what their digits say.

Owns: reading a body so that no number passes through a binary fraction on its way.
Never does: knowing a column; deciding which number a map may hold.
Tested in: tests/unit/endpoints/web/test_numbers.py.

Facts: RFC 8259, section 6 (a number has any number of digits; `NaN` and `Infinity` are none, which
some services write all the same).
"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any


def loads_exactly(body: bytes) -> Any:
    """The JSON of a body: numbers with a point as `Decimal`, others as `int` of any length.

    `NaN` and both infinities are the text they were. Raises `ValueError` for what is no JSON.
    """
    try:
        return json.loads(body, parse_float=Decimal, parse_constant=str)
    except RecursionError as error:
        raise ValueError("its values are nested without end") from error


def whole_number(value: Any) -> int:
    """A JSON number, or its text, that has no fraction.

    Raises `ValueError` for one that has, and for a float, which may have lost digits already.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str):
        return int(value)
    if isinstance(value, Decimal) and value == value.to_integral_value():
        return int(value)
    raise ValueError(f"not a whole number: {value!r}")
