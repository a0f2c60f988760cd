"""Query options as a client writes them: filters and query strings.

Owns: conditions as texts, the encoding of a query string.
Never does: reading a filter (`filters`), knowing a column's type.
Tested in: tests/unit/odata/test_queries.py.

Facts: "Dataverse Web API: webapi/query/filter-rows" and the query function reference
(`Microsoft.Dynamics.CRM.In`, whose values are double-quoted in square brackets).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from urllib.parse import quote

from connector.odata.literals import Scalar, literal

_SAFE = "$,'()=:/@!*"


def equals(column: str, value: Scalar) -> str:
    """`column eq literal`, not yet percent-encoded."""
    return f"{column} eq {literal(value)}"


def in_function(column: str, values: Iterable[str]) -> str:
    """`Microsoft.Dynamics.CRM.In(…)`: the column equals one of `values`.

    The values are JSON strings, so any character may stand in them. Not percent-encoded.
    """
    listed = json.dumps(list(values), ensure_ascii=False, separators=(",", ":"))
    return f"Microsoft.Dynamics.CRM.In(PropertyName='{column}',PropertyValues={listed})"


def query_string(options: Mapping[str, str]) -> str:
    """`$select=a,b&$filter=…` in the given order, percent-encoded (space as `%20`)."""
    return "&".join(f"{name}={quote(value, safe=_SAFE)}" for name, value in options.items())
