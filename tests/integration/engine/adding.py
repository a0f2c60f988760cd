"""What tests of maps in append mode share: the map, and rows for it."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

from connector.engine.retry import Retry
from connector.mapping.values import Side

if TYPE_CHECKING:
    from tests.integration.engine.conftest import Bench, MakeBench


C, D = Side.COMMERCE, Side.DATAVERSE

APPEND = """\
map: card
mode: append
commerce: {entity: Cards, filter: "Name ne 'draft'"}
dataverse: {entity: cards}
fields:
  - {commerce: Number, sync: ">", dataverse: number, key: true}
  - {commerce: Name, sync: ">", dataverse: name}
  - {commerce: Level, sync: ">", dataverse: level}
  - {commerce: Currency, sync: ">", dataverse: currency.code}
"""


def append_bench(make_bench: MakeBench) -> Bench:
    """An append map from commerce; its lookup finds EUR."""
    bench = make_bench(APPEND)
    bench.dataverse.put("currencies", "id-eur", code="EUR")
    bench.retry = Retry(attempts=4, first=0.0)
    return bench


def add(bench: Bench, *keys: str, currency: str | None = "EUR") -> None:
    for key in keys:
        bench.new(C, key)
        bench.edit(C, key, Currency=currency)


def arrived(bench: Bench) -> list[str]:
    return sorted(bench.dataverse.by_key("cards"))


def tables(bench: Bench, *names: str) -> dict[str, int]:
    """Rows of the state, by table."""
    with sqlite3.connect(bench.path) as connection:
        listed = names or ("records", "waits", "changes", "conflicts")
        return {n: connection.execute(f"SELECT count(*) FROM {n}").fetchone()[0] for n in listed}


NOTHING = {"records": 0, "waits": 0, "changes": 0, "conflicts": 0}
