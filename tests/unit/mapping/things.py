"""A small map over columns of every type."""

from __future__ import annotations

from connector.mapping.columns import Column, Reference
from connector.mapping.compiling.compiled import CompiledMap, Field
from connector.mapping.compiling.compiler import compile_map
from connector.mapping.document import parse_document
from connector.mapping.values import Value, ValueType
from tests.unit.mapping.live import Columns, choice, lookup_columns, options, table, text

SYMBOLS: dict[str, Value] = {"Open": 10, "Closed": 20}

COMMERCE = table(
    text("Id", 20, required=True),
    text("Name", 10),
    Column("Amount", ValueType.DECIMAL, scale=3),
    Column("Count", ValueType.INTEGER),
    Column("Day", ValueType.DATE),
    Column("Moment", ValueType.INSTANT),
    choice("Status", SYMBOLS),
    Column("Active", ValueType.BOOLEAN),
    Column("Computed", ValueType.TEXT, creatable=False, updatable=False),
    text("Currency", 3),
)
DATAVERSE = table(
    text("id", 20, required=True),
    text("name", 5),
    Column("amount", ValueType.DECIMAL, scale=2, minimum=0, maximum=1000),
    Column("count", ValueType.INTEGER, minimum=0, maximum=9),
    Column("day", ValueType.DATE),
    Column("moment", ValueType.INSTANT),
    options("status", SYMBOLS),
    Column("active", ValueType.BOOLEAN),
    Column("once", ValueType.TEXT, updatable=False),
    Column("later", ValueType.TEXT, creatable=False),
    Column("hidden", ValueType.TEXT, secured=True),
    Column("forbidden", ValueType.TEXT, readable=False, secured=True),
    Column("shown", ValueType.TEXT, creatable=False, updatable=False, secured=True),
    Column("unreadable", ValueType.TEXT, readable=False),
    Column(
        "currencyid",
        ValueType.REFERENCE,
        reference=Reference("transactioncurrencies", "transactioncurrencyid"),
    ),
    Column("ownerid", ValueType.REFERENCE),
)
HEAD = """\
map: thing
commerce: {entity: Things}
dataverse: {entity: things}
fields:
  - {commerce: Id, sync: "=", dataverse: id, key: true}
"""


def yaml(*rows: str) -> str:
    return HEAD + "".join(f"  - {{{row}}}\n" for row in rows)


def compiled(
    *rows: str, commerce: Columns = COMMERCE, dataverse: Columns = DATAVERSE
) -> CompiledMap:
    return compile_map(parse_document(yaml(*rows)), commerce, dataverse, lookup_columns)


def field(row: str) -> Field:
    """The field a row becomes."""
    return compiled(row).fields[1]
