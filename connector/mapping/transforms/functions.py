"""What one transform does to one value, as functions prepared once per field.

Owns: cutting, cases, factors, time zones, patterns, splitting.
Never does: reading a map; skipping or guessing: what cannot be translated raises `Untranslatable`.
Tested in: tests/unit/mapping/test_steps.py, tests/unit/mapping/test_transform_laws.py.

The types of the values that arrive are seen to by `route.py`: a text transform gets texts. An
empty text is no value in either system, so no function here returns one.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from decimal import Context, Decimal, DecimalException
from typing import Any
from zoneinfo import ZoneInfo

from connector.mapping.transforms.translate import Translation, Untranslatable
from connector.mapping.values import Value

_EXACT = Context(prec=38)
"""Digits of a scaled number: as many as any column of the two systems holds."""


def text_step(change: Callable[[str], str]) -> Translation:
    """A change of texts; null stays null, and what becomes empty is null."""

    def run(value: Value) -> Value:
        return None if value is None else change(value) or None  # type: ignore[arg-type]

    return run


def cut(longest: int) -> Translation:
    """The first `longest` UTF-16 units, as columns count; no character is cut in two."""

    def run(text: str) -> str:
        if len(text) * 2 <= longest:
            return text
        units = text.encode("utf-16-le", "surrogatepass")
        if len(units) <= 2 * longest:
            return text
        end = 2 * longest
        if 0xD8 <= units[end - 1] <= 0xDB:  # the first half of a pair
            end -= 2
        return units[:end].decode("utf-16-le", "surrogatepass")

    return text_step(run)


def part_of(separator: str, part: int) -> Translation:
    """The part with this number, from 1, or from the end below 0; null where there is none."""
    index = part - 1 if part > 0 else part

    def run(text: str) -> str:
        parts = text.split(separator)
        return parts[index] if -len(parts) <= index < len(parts) else ""

    return text_step(run)


# ------------------------------------------------------------------------------ numbers


def times(factor: Decimal) -> Translation:
    """Multiplied."""
    return _computed(lambda number: _EXACT.multiply(number, factor))


def divided_by(factor: Decimal) -> Translation:
    """Divided; the column it goes to rounds what never ends."""
    return _computed(lambda number: _EXACT.divide(number, factor))


def _computed(change: Callable[[Decimal], Decimal]) -> Translation:
    def run(value: Value) -> Value:
        if value is None:
            return None
        assert isinstance(value, Decimal)
        try:
            return change(value)
        except DecimalException as error:
            raise Untranslatable(
                "number-out-of-range",
                f"{value:.6e} cannot be scaled",
                "correct the value in the source",
            ) from error

    return run


# ------------------------------------------------------------------------------ time zones


def to_instant(zone: ZoneInfo) -> Translation:
    """The wall clock of a zone, written as if it were UTC, becomes the instant.

    An hour that happens twice is the first of the two; one that is left out counts on from the
    hour before it.
    """
    return _moved(lambda moment: moment.replace(tzinfo=zone).astimezone(UTC))


def to_wall_clock(zone: ZoneInfo) -> Translation:
    """The way back: an instant becomes what the wall clock of the zone shows."""
    return _moved(lambda moment: moment.astimezone(zone).replace(tzinfo=UTC, fold=0))


def to_day(zone: ZoneInfo) -> Translation:
    """An instant becomes the day it falls on in the zone."""
    return _moved(lambda moment: moment.astimezone(zone).date())


def to_midnight(zone: ZoneInfo) -> Translation:
    """The way back: a day becomes the instant it begins at in the zone."""

    def run(value: Value) -> Value:
        if value is None:
            return None
        assert isinstance(value, date)
        try:
            return datetime.combine(value, time(0), zone).astimezone(UTC)
        except OverflowError as error:
            raise _out_of_time(value) from error

    return run


def _moved(change: Callable[[datetime], date]) -> Translation:
    def run(value: Value) -> Value:
        if value is None:
            return None
        assert isinstance(value, datetime)
        try:
            return change(value)
        except OverflowError as error:
            raise _out_of_time(value) from error

    return run


def _out_of_time(value: date) -> Untranslatable:
    return Untranslatable(
        "time-out-of-range",
        f"{value} falls out of the calendar in this time zone",
        "correct the value in the source",
    )


def read_wall_clock(value: Value) -> Value:
    """A text such as `2026-01-31 08:00` as a wall clock; raises `Untranslatable`."""
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(str(value).strip())
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is not None:
        raise Untranslatable(
            "time-malformed",
            f"{value!r} is no local date or time such as 2026-01-31 or 2026-01-31 08:00:00",
            "correct the value in the source, or bring it into this form with `regex`",
        )
    return moment.replace(tzinfo=UTC)


def write_wall_clock(value: Value) -> Value:
    """The way back: a wall clock as `2026-01-31 08:00:00`."""
    if value is None:
        return None
    assert isinstance(value, datetime)
    return value.replace(tzinfo=None).isoformat(" ")


# ------------------------------------------------------------------------------ patterns

_TEMPLATE = re.compile(r"\\(.?)|[^\\]+", re.DOTALL)


class BadPattern(ValueError):
    """A pattern or its replacement, the `part`, cannot be used."""

    def __init__(self, message: str, part: str, remedy: str) -> None:
        super().__init__(message)
        self.part = part
        self.remedy = remedy


def substitution(pattern: str, replacement: str) -> Translation:
    r"""Every match of `pattern` replaced; `\1` to `\9` stand for its groups, `\\` for itself.

    Patterns are those of RE2, which takes time in proportion to the text whatever the pattern:
    it knows no lookaround and no back-references. Raises `BadPattern`.
    """
    compiled = _compiled(pattern)
    parts = _parts(replacement, compiled.groups)
    if all(isinstance(part, str) for part in parts):
        fixed = "".join(str(part) for part in parts)
        return _safely(lambda text: str(compiled.sub(lambda _match: fixed, text)))

    def fill(match: Any) -> str:
        return "".join(p if isinstance(p, str) else match.group(p) or "" for p in parts)

    return _safely(lambda text: str(compiled.sub(fill, text)))


def _compiled(pattern: str) -> Any:
    import re2  # where a map has a pattern only

    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(pattern, options)
    except (re2.error, UnicodeEncodeError) as error:
        said = error.args[0] if error.args else ""
        text = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(error)
        raise BadPattern(
            f"the pattern cannot be used: {text}",
            "match",
            "write an RE2 pattern, such as `^0+` or `(\\d+)-(\\d+)`; there are no lookaround, no "
            "back-references and no thousandfold repetitions, so that no text can keep it busy",
        ) from error


def _parts(replacement: str, groups: int) -> list[str | int]:
    parts: list[str | int] = []
    for found in _TEMPLATE.finditer(replacement):
        escaped = found[1]
        if escaped is None or escaped == "\\":
            parts.append("\\" if escaped else found[0])
        elif escaped.isascii() and escaped.isdigit():
            if int(escaped) > groups:
                raise _bad_replacement(f"the pattern has no group {escaped}")
            parts.append(int(escaped))
        else:
            raise _bad_replacement(f"`\\{escaped}` means nothing in a replacement")
    return parts


def _bad_replacement(message: str) -> BadPattern:
    return BadPattern(
        message,
        "replace",
        "write `\\1` for the first parentheses of `match`, and so on; `\\\\` for a backslash",
    )


def _safely(change: Callable[[str], str]) -> Translation:
    def run(text: str) -> str:
        try:
            return change(text)
        except UnicodeEncodeError as error:
            raise Untranslatable(
                "text-malformed",
                "the text holds half a character, which no pattern can read",
                "correct the value in the source",
            ) from error

    return text_step(run)
