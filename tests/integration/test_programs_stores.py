"""Programs on both databases: imported by several at once, loaded meanwhile, with tiers."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest

from connector.ledger.desk import Desk
from connector.ledger.journal.journal import Journal
from connector.ledger.journal.posting import Earn, Posting
from connector.ledger.ledger import Ledger
from connector.ledger.operations import Upsert
from connector.ledger.programs import standing, store
from connector.ledger.programs.document import ProgramDocument
from connector.ledger.programs.library import switch
from connector.ledger.programs.reading import parsed
from connector.ledger.programs.yaml_text import read_yaml
from tests.unit.ledger.programs.making import item, member, sale

CLUB = """program: club
pooled: true
tiers:
  - {tier: silver, level: 1, points: 500, kind: bonus, within: 12 months}
earn:
  - {rule: base, by: amount, currency: EUR, points: 1, kind: bonus}
"""
IMPORTERS, IMPORTS = 4, 5


@pytest.fixture
def ledgers(ledger_url: str) -> Iterator[list[Ledger]]:
    opened = [Ledger.open(ledger_url) for _ in range(IMPORTERS + 1)]
    opened[0].store("reward-points").create(
        {"RewardPointId": "bonus", "RewardPointType": "Quantity"}, by="test"
    )
    yield opened
    for one in opened:
        one.close()


def keep(ledger: Ledger, text: str) -> int:
    with ledger.writing("test") as transaction:
        document = parsed(ProgramDocument, read_yaml(text, "club.yaml"))
        return store.keep(transaction, document, text).version


def test_each_import_is_a_version_of_its_own_and_sales_see_whole_ones(
    ledgers: list[Ledger],
) -> None:
    keep(ledgers[0], CLUB)

    def imports(number: int) -> list[tuple[int, int]]:
        points = [100 * (number + 1) + turn for turn in range(IMPORTS)]
        texts = [CLUB.replace("points: 1,", f"points: {some},") for some in points]
        versions = [keep(ledgers[number], text) for text in texts]
        return list(zip(versions, points, strict=True))

    def sells(_: int) -> list[tuple[int, int]]:
        seen = []
        for _ in range(IMPORTERS * IMPORTS):
            with ledgers[-1].reading() as connection:
                found = store.load(connection).earned(sale(item(amount="1")), member())
            seen += [(one.version, int(one.points)) for one in found]
        return seen

    with ThreadPoolExecutor(IMPORTERS + 1) as pool:
        sold = pool.submit(sells, 0)
        made = [one for each in pool.map(imports, range(IMPORTERS)) for one in each]
    assert sorted(version for version, _ in made) == list(range(2, IMPORTERS * IMPORTS + 2))
    assert set(sold.result()) <= {(1, 1), *made}
    with ledgers[-1].reading() as connection:
        (found,) = store.load(connection).earned(sale(item(amount="1")), member())
        assert (found.version, int(found.points)) == max(made)
        for version, points in made:
            old = store.load_versions(connection, {"club": version})
            assert [int(one.points) for one in old.earned(sale(item(amount="1")), member())] == [
                points
            ]


def test_tiers_follow_postings_imports_and_switches(ledgers: list[Ledger]) -> None:
    ledger = ledgers[0]
    keep(ledger, CLUB)
    wanted = [Upsert({"CardNumber": card, "PartyNumber": "P1"}) for card in ("1", "2")]
    ledger.store("cards").apply(wanted, by="test", create_references=True)
    Desk(ledger).replace("2", "3", by="test")
    lines = tuple(Earn(card, "bonus", Decimal(300)) for card in ("1", "3"))
    Journal(ledger).post(Posting("a", lines), by="test")
    shown = ledger.store("card-tiers")

    def tiers() -> dict[object, object]:
        return {record.values[1]: record.values[4] for record in shown.listed(10, None)}

    assert tiers() == dict.fromkeys(["1", "2", "3"], "silver")
    assert standing.restate_all(ledger, "test") == 0, "the commit did it already"
    assert switch(ledger, "club", "test", active=False) == (True, 3)
    assert tiers() == {}
    assert switch(ledger, "club", "test", active=True) == (True, 3)
    assert tiers() == dict.fromkeys(["1", "2", "3"], "silver")
