"""What a map that runs may still meet: values that will not fit, and rows that cannot pass.

Owns: findings about a compiled map that are told by running it over the values its columns can
hold. None of them stops the map.
Never does: I/O; what keeps a map from running (`compiling/compiler.py`).
Tested in: tests/unit/mapping/test_doubts.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import NamedTuple

from connector.errors import Problem
from connector.mapping.columns import Column
from connector.mapping.compiling.compiled import CompiledMap, Field
from connector.mapping.compiling.joined_rows import COMPANIES
from connector.mapping.filters.passable import nothing_passes
from connector.mapping.references import TargetMissing
from connector.mapping.transforms.step_tables import FAIL
from connector.mapping.transforms.translate import Translation, Untranslatable
from connector.mapping.values import Side, Value, ValueType

COMPANY_CODE = "cdm_companycode"
"""What a legal entity is called in Dataverse."""
COMPANY = "dataareaid"
"""The column that makes a commerce entity company-specific, in lower case."""


def doubts(map: CompiledMap, live: Mapping[Side, Mapping[str, Column]]) -> Iterator[Problem]:
    """Warnings and notes about a map that runs; `live` are all columns of both tables."""
    rows = {row.name: index for index, row in enumerate(map.document.fields)}
    for field in map.fields:
        for side in Side:
            # Joined columns have no column of their own on the other side.
            if field.travels_to(side) and min(field.index(one) for one in Side) >= 0:
                yield from _Way(map, rows[field.name], field, side).doubts()
    for side, row_filter in map.filters.items():
        if nothing_passes(row_filter.filter):
            yield Problem(
                "filter-nothing-passes",
                f"no row of {map.entity(side)} can pass `{row_filter.filter.text}`",
                "correct the filter; as it is the map does nothing",
                map.document.file.subject(side.value, "filter", map=map.name),
                "warning",
            )
    yield from _company(map, live)


class _Refused(NamedTuple):
    """What a translation says to a value it does not take."""

    code: str


class _Way:
    """The way of one field to one side."""

    def __init__(self, map: CompiledMap, index: int, field: Field, side: Side) -> None:
        self.map = map
        self.index = index
        self.field = field
        self.side = side
        self.source = map.columns[side.other][field.index(side.other)]
        self.target = map.columns[side][field.index(side)]
        self.translation = field.translation_to(side)

    def doubts(self) -> Iterator[Problem]:
        yield from self._empty()
        if self.field.lookup is not None:
            return
        yield from self._lengths()
        yield from self._numbers()
        yield from self._choices()

    # ------------------------------------------------------------------ empty

    def _empty(self) -> Iterator[Problem]:
        """A required column whose source may have nothing for it."""
        wanted = self.target.required and self.target.creatable and self.map.creates_on(self.side)
        if not wanted or self.field.key or not self.source.nullable:
            return
        if _tried(self.translation, None) is None:
            yield self._problem(
                "required-from-empty",
                f"`{self.target.name}` is required, and `{self.source.name}` may be empty: such a "
                "record cannot be created",
                f"give the row a `default: {{{self.side}: VALUE}}`",
                "note",
            )

    # ------------------------------------------------------------------ facets

    def _lengths(self) -> Iterator[Problem]:
        longest = self.source.max_length
        if self.source.type is not ValueType.TEXT or longest is None:
            return
        if _tried(self.translation, "x" * longest) == _Refused("text-too-long"):
            yield self._problem(
                "length-narrower",
                f"`{self.source.name}` takes {longest} characters, `{self.target.name}` "
                f"{self.target.max_length}: a record with a longer text is set aside",
                f"lengthen the column, or cut texts with a step `truncate: "
                f"{self.target.max_length}`",
                "note",
            )

    def _numbers(self) -> Iterator[Problem]:
        source = self.source
        if source.type not in (ValueType.INTEGER, ValueType.DECIMAL):
            return
        whole = source.type is ValueType.INTEGER
        for bound in (source.minimum, source.maximum):
            if bound is None:
                continue
            value: Value = bound if whole else Decimal(bound)
            if _tried(self.translation, value) == _Refused("number-out-of-range"):
                yield self._problem(
                    "range-narrower",
                    f"`{source.name}` goes to {bound}, `{self.target.name}` from "
                    f"{self.target.minimum} to {self.target.maximum}: a record beyond that is set "
                    "aside",
                    "widen the column, or keep the source within its range",
                    "note",
                )
        if whole or source.scale == 0:
            return
        places = source.scale
        smallest = Decimal(1).scaleb(-(places if places is not None else 1))
        arrived = _tried(self.translation, smallest)
        lost = places is not None and arrived == Decimal(0)
        if arrived == _Refused("number-not-whole") or lost:
            yield self._problem(
                "scale-narrower",
                f"`{self.target.name}` keeps fewer decimal places than `{source.name}`: "
                + ("they are rounded away" if lost else "a record with some is set aside"),
                "map a decimal column with as many places, or scale the value",
                "note",
            )

    # ------------------------------------------------------------------ choices

    def _choices(self) -> Iterator[Problem]:
        values: list[Value] = []
        if self.source.type is ValueType.BOOLEAN:
            values = [False, True]
        elif self.source.type is ValueType.CHOICE:
            values = list(self.source.choices or ())
        arrived = {value: _tried(self.translation, value) for value in values}
        left = [value for value, there in arrived.items() if isinstance(there, _Refused)]
        unmatched = self.map.document.fields[self.index].unmatched
        meant = unmatched is not None and unmatched.of(self.side) == FAIL
        if left and not meant:
            named = ", ".join(self._named(value) for value in left)
            yield self._problem(
                "choice-unmapped",
                f"towards {self.side} nothing stands for {named} of `{self.source.name}`: a record "
                "with it is set aside",
                "add it to `values`, or say with `unmatched` what the others become",
                "warning",
            )
        if not self.field.travels_to(self.side.other):
            return
        back = self.field.translation_to(self.side.other)
        changed = [
            value
            for value, there in arrived.items()
            if not isinstance(there, _Refused) and _folded(_tried(back, there)) != _folded(value)
        ]
        if changed:
            named = ", ".join(self._named(value) for value in changed)
            yield self._problem(
                "values-not-round-trip",
                f"{named} of `{self.source.name}` does not come back from {self.side} as it left: "
                "an edit there would change it here",
                "give each value its own counterpart, or let the row go one way",
                "warning",
            )

    def _named(self, value: Value) -> str:
        label = (self.source.choices or {}).get(value)
        return f"{value} ({label})" if label and label != value else str(value)

    def _problem(self, code: str, message: str, remedy: str, severity: str) -> Problem:
        subject = self.map.document.field_subject(self.index, self.side.other.value)
        return Problem(code, message, remedy, subject, severity)


def _tried(translation: Translation, value: Value | _Refused) -> Value | _Refused:
    if isinstance(value, _Refused):
        return value
    try:
        return translation(value)
    except Untranslatable as error:
        return _Refused(error.code)
    except TargetMissing:
        return value  # the row it points to may be there


def _folded(value: Value | _Refused) -> Value | _Refused:
    return value.casefold() if isinstance(value, str) else value


def _company(map: CompiledMap, live: Mapping[Side, Mapping[str, Column]]) -> Iterator[Problem]:
    """Rows of a company whose map does not say which one."""
    own = {
        Side.COMMERCE: [c.name for c in live[Side.COMMERCE].values() if _bare(c.name) == COMPANY],
        Side.DATAVERSE: [
            c.name
            for c in live[Side.DATAVERSE].values()
            if c.reference is not None and c.reference.entity == COMPANIES
        ],
    }
    # A side on which a row or the filter says which company is meant is told apart.
    vague = [
        side
        for side in Side
        if own[side]
        and not {_bare(name) for name in map.column_names(side)} & set(_bares(own[side]))
    ]
    if all(own.values()) and vague:
        yield _without_company(map, own[Side.COMMERCE][0], own[Side.DATAVERSE][0])
        return
    for side in vague:
        yield Problem(
            "company-one-sided",
            f"rows of {map.entity(side)} belong to a company (`{own[side][0]}`), those of "
            f"{map.entity(side.other)} to none: one key in two companies is two rows",
            f"let a filter choose the company, such as `{own[side][0]} eq 'usmf'`"
            if side is Side.COMMERCE
            else f"fill `{own[side][0]}` by a row of the map, or filter by it",
            map.document.file.subject(side.value, map=map.name),
            "warning",
        )


def _without_company(map: CompiledMap, commerce: str, dataverse: str) -> Problem:
    ways = next(field for field in map.fields if field.key)
    symbol = "=" if ways.to_dataverse and ways.to_commerce else ">" if ways.to_dataverse else "<"
    return Problem(
        "key-without-company",
        f"rows of both tables belong to a company (`{commerce}`, `{dataverse}`), and the key does "
        "not say to which: one key in two companies is two rows",
        f'add the row `{{commerce: {commerce}, sync: "{symbol}", dataverse: {dataverse}.'
        f"{COMPANY_CODE}, key: true}}`",
        map.document.file.subject("fields", map=map.name),
        "warning",
    )


def _bares(names: Iterable[str]) -> Iterator[str]:
    return (_bare(name) for name in names)


def _bare(name: str) -> str:
    """A column by its own name, without what a key looks up behind it."""
    return name.partition(".")[0].casefold()
