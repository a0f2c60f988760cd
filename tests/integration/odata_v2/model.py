"""The tables of the V2 stand-in: types, rows, filters, as strict as a real service is.

Shares no line with the endpoint, nor a library: what it writes and takes follows the text of
OData V2 (JSON format, URI conventions).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, TypeAlias

Entity: TypeAlias = dict[str, Any]
"""Property values as they stand in JSON."""
Test: TypeAlias = Callable[[Entity], bool]

_DATE = re.compile(r"/Date\((-?\d+)(?:([+-])(\d{4}))?\)/")
_MOMENT = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,7}))?)?(Z|\+00:00)?")
_WHOLE = {"Edm.Byte": (0, 255), "Edm.SByte": (-128, 127), "Edm.Int16": (-(2**15), 2**15 - 1)}
_WHOLE["Edm.Int32"] = (-(2**31), 2**31 - 1)


class Refusal(Exception):
    """An answer that is no success."""

    def __init__(self, status: int, code: str, text: str, target: str | None = None) -> None:
        super().__init__(text)
        self.status, self.code, self.text, self.target = status, code, text, target


@dataclass(frozen=True)
class Property:
    """One property of an entity type."""

    edm: str
    nullable: bool = True
    length: int | None = None
    facets: str = ""
    """Further attributes, as they stand in the document."""

    def check(self, name: str, value: Any) -> None:
        """Refuse what is no value of this type in JSON."""
        if value is None:
            if not self.nullable:
                raise Refusal(400, "NULL", f"{name} takes no null", name)
            return
        try:
            comparable(self.edm, value)
        except (ValueError, TypeError, KeyError) as error:
            raise Refusal(400, "TYPE", f"{value!r} is no {self.edm}", name) from error
        if self.length is not None and len(value) > self.length:
            raise Refusal(400, "LENGTH", f"more than {self.length} characters", name)


def comparable(edm: str, value: Any) -> Any:
    """What values are compared by; raises for what is none in JSON."""
    if edm == "Edm.String":
        return _is(value, str).rstrip(" ").casefold()
    if edm in _WHOLE:
        low, high = _WHOLE[edm]
        if isinstance(value, bool) or not low <= _is(value, int) <= high:
            raise ValueError(value)
        return value
    if edm == "Edm.Int64":
        return int(_is(value, str))
    if edm in ("Edm.Decimal", "Edm.Double"):
        if not re.fullmatch(r"-?\d+(\.\d+)?", _is(value, str)):
            raise ValueError(value)
        return Decimal(value)
    if edm in ("Edm.DateTime", "Edm.DateTimeOffset"):
        match = _DATE.fullmatch(_is(value, str))
        if match is None or (match[2] is None) != (edm == "Edm.DateTime"):
            raise ValueError(value)
        return int(match[1])
    if edm == "Edm.Boolean":
        return _is(value, bool)
    if edm in ("Edm.Guid", "Edm.Time", "Edm.Binary"):
        return _is(value, str)
    return value


def _is(value: Any, type: type) -> Any:
    if not isinstance(value, type):
        raise TypeError(value)
    return value


# ---------------------------------------------------------------------------- filters

_TOKEN = re.compile(
    r"\s*(?:(?P<word>[A-Za-z_]\w*)(?![\w'])|(?P<paren>[()])"
    r"|(?P<typed>(?:datetimeoffset|datetime|guid|time|binary)?'(?:[^']|'')*')"
    r"|(?P<number>-?\d+(?:\.\d+)?[MmLldDfF]?))"
)
_SUFFIX = {"Edm.Decimal": "M", "Edm.Int64": "L", "Edm.Double": "d"}
_PREFIX = {
    "Edm.DateTime": "datetime",
    "Edm.DateTimeOffset": "datetimeoffset",
    "Edm.Guid": "guid",
    "Edm.Time": "time",
}


def literal(edm: str, text: str) -> Any:
    """The comparable value of a literal of this type, and of no other."""
    if edm == "Edm.Boolean" and text in ("true", "false"):
        return text == "true"
    if text.endswith("'"):
        prefix, _, rest = text.partition("'")
        inside = rest[:-1].replace("''", "'")
        if prefix != _PREFIX.get(edm, ""):
            raise Refusal(400, "LITERAL", f"{text} is no literal of {edm}")
        return _moment(inside) if edm.startswith("Edm.DateTime") else comparable(edm, inside)
    suffix = _SUFFIX.get(edm, "")
    if not text.endswith(suffix) or edm in _PREFIX or edm == "Edm.String":
        raise Refusal(400, "LITERAL", f"{text} is no literal of {edm}")
    plain = text.removesuffix(suffix)
    return comparable(edm, plain if suffix else int(plain))


def _moment(text: str) -> int:
    from datetime import UTC, datetime

    match = _MOMENT.fullmatch(text)
    if match is None:
        raise Refusal(400, "LITERAL", f"no time: {text}")
    year, month, day, hour, minute = (int(one) for one in match.groups()[:5])
    at = datetime(year, month, day, hour, minute, int(match[6] or 0), tzinfo=UTC)
    return int(at.timestamp() * 1000) + int((match[7] or "0").ljust(7, "0")) // 10_000


class Filter:
    """A parsed `$filter`."""

    _COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {
        "eq": lambda a, b: a == b,
        "ne": lambda a, b: a != b,
        "gt": lambda a, b: a is not None and b is not None and a > b,
        "ge": lambda a, b: a is not None and b is not None and a >= b,
        "lt": lambda a, b: a is not None and b is not None and a < b,
        "le": lambda a, b: a is not None and b is not None and a <= b,
    }

    def __init__(self, text: str, type: Type) -> None:
        self._type = type
        self._tokens: list[str] = []
        place = 0
        while text[place:].strip():
            match = _TOKEN.match(text, place)
            if match is None:
                raise Refusal(400, "FILTER", f"cannot read the filter at {text[place:][:30]!r}")
            self._tokens.append(match[0].strip())
            place = match.end()
        self.test = self._any()
        if self._tokens:
            raise Refusal(400, "FILTER", f"unexpected {self._tokens[0]}")

    def _any(self) -> Test:
        tests = [self._all()]
        while self._tokens[:1] == ["or"]:
            self._tokens.pop(0)
            tests.append(self._all())
        return lambda one: any(test(one) for test in tests)

    def _all(self) -> Test:
        tests = [self._one()]
        while self._tokens[:1] == ["and"]:
            self._tokens.pop(0)
            tests.append(self._one())
        return lambda one: all(test(one) for test in tests)

    def _one(self) -> Test:
        if len(self._tokens) < 3:
            raise Refusal(400, "FILTER", "the filter ends too early")
        first = self._tokens.pop(0)
        if first == "(":
            inner = self._any()
            if self._tokens[:1] != [")"]:
                raise Refusal(400, "FILTER", "a parenthesis is not closed")
            self._tokens.pop(0)
            return inner
        operator, text = self._tokens.pop(0), self._tokens.pop(0)
        if first not in self._type.properties or operator not in self._COMPARE:
            raise Refusal(400, "FILTER", f"no comparison: {first} {operator}")
        edm = self._type.properties[first].edm
        wanted = None if text == "null" else literal(edm, text)
        compare = self._COMPARE[operator]

        def test(one: Entity) -> bool:
            value = one[first]
            return compare(None if value is None else comparable(edm, value), wanted)

        return test


# ---------------------------------------------------------------------------- tables


@dataclass
class Type:
    """One entity type with its set."""

    name: str
    keys: tuple[str, ...]
    properties: dict[str, Property]
    etags: bool = True
    stamp: str | None = None
    """A property that takes the time of the last change."""
    rows: dict[tuple[Any, ...], Entity] = field(default_factory=dict)
    versions: dict[tuple[Any, ...], int] = field(default_factory=dict)

    def key_of(self, entity: Mapping[str, Any]) -> tuple[Any, ...]:
        """What a row is known by; raises `Refusal` where a part is missing."""
        for name in self.keys:
            if entity.get(name) in (None, ""):
                raise Refusal(400, "KEY", f"{name} is missing", name)
        return tuple(comparable(self.properties[name].edm, entity[name]) for name in self.keys)

    def predicate(self, entity: Mapping[str, Any]) -> str:
        """The key as it stands in URLs, not yet encoded."""

        def spelled(name: str) -> str:
            edm, value = self.properties[name].edm, entity[name]
            if edm == "Edm.String":
                return "'" + str(value).replace("'", "''") + "'"
            return f"{value}{_SUFFIX.get(edm, '')}"

        if len(self.keys) == 1:
            return spelled(self.keys[0])
        return ",".join(f"{name}={spelled(name)}" for name in self.keys)

    def find(self, predicate: str) -> tuple[Any, ...]:
        """The key a predicate spells; raises `Refusal` for what is none."""
        if len(self.keys) == 1 and not re.match(r"[A-Za-z_]\w*=", predicate):
            return (literal(self.properties[self.keys[0]].edm, predicate),)
        found = re.finditer(r"(\w+)=((?:'(?:[^']|'')*')|[^,]+)(?:,|$)", predicate)
        parts = {match[1]: match[2] for match in found}
        if set(parts) != set(self.keys):
            raise Refusal(400, "KEY", f"no key of {self.name}: {predicate}")
        return tuple(literal(self.properties[name].edm, parts[name]) for name in self.keys)

    def etag(self, key: tuple[Any, ...]) -> str:
        """The ETag of a row."""
        return f'W/"{self.versions[key]}"'
