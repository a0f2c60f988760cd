"""Numbers of a JSON body, digit by digit."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from connector.endpoints.web.numbers import loads_exactly, whole_number


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("12345678901234567.123456789", Decimal("12345678901234567.123456789")),
        ("0.10", Decimal("0.10")),
        ("1e-30", Decimal("1E-30")),
        ("123456789012345678901234567890", 123456789012345678901234567890),
        ("9007199254740993", 9007199254740993),
        ("NaN", "NaN"),
        ("-Infinity", "-Infinity"),
    ],
)
def test_a_number_is_what_its_digits_say(text: str, number: Any) -> None:
    read = loads_exactly(b'{"value": ' + text.encode() + b"}")["value"]
    assert (type(read), str(read)) == (type(number), str(number))


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"a": 1', b"\xff", b"[" * 200_000])
def test_what_is_no_json_is_a_value_error(body: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - whatever the reader says of it
        loads_exactly(body)


@pytest.mark.parametrize(("value", "number"), [(5, 5), ("-7", -7), (Decimal("1E+2"), 100)])
def test_a_whole_number_is_read(value: Any, number: int) -> None:
    assert whole_number(value) == number


@pytest.mark.parametrize("value", [1.0, 1e20, True, "1.5", Decimal("1.5"), Decimal("NaN"), None])
def test_what_is_no_whole_number_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match=r"not a whole|invalid literal"):
        whole_number(value)
