"""One entity set as the endpoint works with it: its columns, its key, and ids made of that.

Owns: finding columns without regard to case; the id of a row, `CardNumber='55001'`, written and
read; key values in URLs and conditions in filters.
Never does: fetching metadata (`metadata.py`).
Tested in: tests/unit/endpoints/odata_v4/test_tables.py.

Facts: OData URL conventions, 4.3.1 (key predicates; a quote within a text is doubled). An id
names every key column in the order of the metadata and is not percent-encoded.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias
from urllib.parse import quote

from connector.endpoints.odata_v4.fields import Field
from connector.mapping.values import Value, ValueType
from connector.odata.literals import QUOTED

KeyValues: TypeAlias = tuple[Value, ...]

_PART = re.compile(rf"\s*([A-Za-z_]\w*)\s*=\s*((?:[A-Za-z_][\w.]*)?{QUOTED}|[^',=]+?)\s*(,|$)")


@dataclass(frozen=True, eq=False)
class Table:
    """One entity set. `versioned` says that rows bear ETags, None that nobody knows yet."""

    name: str
    type_name: str
    fields: Mapping[str, Field]
    key: tuple[Field, ...]
    versioned: bool | None

    @cached_property
    def _folded(self) -> Mapping[str, Field]:
        return {name.casefold(): field for name, field in self.fields.items()}

    def find(self, name: str) -> Field | None:
        """The field of that name in any case."""
        return self.fields.get(name) or self._folded.get(name.casefold())

    @cached_property
    def key_names(self) -> frozenset[str]:
        """Names of the key columns."""
        return frozenset(field.name for field in self.key)

    # ------------------------------------------------------------------------ ids

    @cached_property
    def ids(self) -> Callable[[Sequence[Sequence[Value]]], list[str]]:
        """Ids out of key columns, one sequence per column. Raises `ValueError`, `TypeError`."""
        if len(self.key) == 1 and self.key[0].column.type is ValueType.TEXT:
            head, spell = f"{self.key[0].name}=", self.key[0].literal
            return lambda columns: [head + spell(value) for value in columns[0]]
        return lambda columns: [self.id_of(values) for values in zip(*columns, strict=True)]

    def id_of(self, values: Sequence[Value]) -> str:
        """The id of the row with this key. Raises `ValueError`, `TypeError`."""
        return ",".join(
            f"{field.name}={field.literal(value)}"
            for field, value in zip(self.key, values, strict=True)
        )

    def key_in(self, values: Mapping[str, Value]) -> KeyValues | None:
        """The key among the values of a new row; None where a part is missing or empty."""
        given = {name.casefold(): value for name, value in values.items()}
        key = tuple([given.get(field.name.casefold()) for field in self.key])
        return None if any(part is None for part in key) else key

    def parse_id(self, id: str) -> KeyValues | None:
        """The key an id spells; None for a text that is none of this table's."""
        given: dict[str, str] = {}
        place, more = 0, True
        while more:
            match = _PART.match(id, place)
            if match is None or match[1].casefold() in given:
                return None
            given[match[1].casefold()] = match[2]
            place, more = match.end(), match[3] == ","
        if given.keys() != {field.name.casefold() for field in self.key}:
            return None
        try:
            return tuple([field.parse(given[field.name.casefold()]) for field in self.key])
        except (ValueError, ArithmeticError):
            return None

    # ------------------------------------------------------------------------ URLs

    def row_url(self, values: Sequence[Value]) -> str:
        """`Set(Key='value')`, percent-encoded."""
        parts = ",".join(
            f"{field.name}={quote(field.literal(value), safe=_SAFE)}"
            for field, value in zip(self.key, values, strict=True)
        )
        return f"{self.name}({parts})"

    def condition(self, values: Sequence[Value]) -> str:
        """The filter that finds the row with this key, not percent-encoded."""
        parts = [
            f"{field.name} eq {field.literal(value)}"
            for field, value in zip(self.key, values, strict=True)
        ]
        return parts[0] if len(parts) == 1 else f"({' and '.join(parts)})"


_SAFE = "'"
