"""What must hold when a round has come to rest.

Owns: the invariants, judged from the two systems and the store's own tables.
Never does: driving anything but the last verify and the sync that must find nothing.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from connector.ledger.ledger import Ledger
from connector.mapping.values import Side
from tests.chaos.people import CARDS, TABLE, People
from tests.chaos.site import Site

TOKEN = re.compile(r"\b[PR]\d{6}\b")
COLUMNS = {
    (Side.COMMERCE, "party"): "PartyNumber",
    (Side.COMMERCE, "replacement"): "ReplacementCardNumber",
    (Side.DATAVERSE, "party"): "msdyn_partynumber",
    (Side.DATAVERSE, "replacement"): "msdyn_replacementcardnumber",
}
Cards = Mapping[str, Mapping[str, Any]]


def judge(site: Site, people: People) -> None:
    """Assert everything."""
    _equal(site)
    held = {Side.COMMERCE: _ledger(site), Side.DATAVERSE: _dataverse(site)}
    commerce, dataverse = set(held[Side.COMMERCE]), set(held[Side.DATAVERSE])
    assert commerce == dataverse, f"on one side only: {sorted(commerce ^ dataverse)}"
    _nothing_lost(site, people, held)
    _nothing_open(site)
    _nothing_left(site)


def _equal(site: Site) -> None:
    worker = site.start("verify")
    code = worker.wait()
    found = worker.answer()
    assert code in (0, 3), f"verify ended with {code}: {worker.complaints()}"
    findings = [
        one for map in found["maps"] for one in map["findings"] if one["verdict"] == "difference"
    ]
    assert found["equal"], f"verify finds differences: {findings[:5]}"


def _ledger(site: Site) -> Cards:
    with Ledger.open(site.ledger_url) as ledger:
        store = ledger.store(CARDS)
        names = [field.name for field in store.entity.fields]
        records = store.page(None, 100_000)
        return _by_number((dict(zip(names, one.values, strict=True)) for one in records),
                          "CardNumber")  # fmt: skip


def _dataverse(site: Site) -> Cards:
    rows: list[dict[str, Any]] = []
    url: str | None = TABLE
    while url is not None:
        answer = site.session("agent_").get(url).json()
        rows += answer["value"]
        url = answer.get("@odata.nextLink")
    return _by_number(rows, "msdyn_cardnumber")


def _by_number(rows: Iterable[Mapping[str, Any]], column: str) -> Cards:
    """The cards by number; no number twice."""
    listed = list(rows)
    twice = [n for n, count in Counter(row[column] for row in listed).items() if count > 1]
    assert not twice, f"cards that are there twice: {twice}"
    return {row[column]: row for row in listed}


def _nothing_lost(site: Site, people: People, held: Mapping[Side, Cards]) -> None:
    """Every value somebody left standing is on its side still, or in the audit."""
    noted: set[str] = set()
    for query in ("SELECT before, after FROM changes", "SELECT base, seen FROM conflicts"):
        for row in site.rows(query):
            for text in row:
                noted.update(TOKEN.findall(str(text)))
    lost = {
        place: value
        for place, value in people.standing.items()
        if value not in noted
        and held[place[0]].get(place[1], {}).get(COLUMNS[place[0], place[2]]) != value
    }
    assert not lost, f"edits that stand nowhere: {lost}"


def _nothing_open(site: Site) -> None:
    """Every announced write has its outcome, and nobody waits but for a person."""
    assert site.open_intents() == 0
    odd = site.rows("SELECT state, count(*) FROM records WHERE due IS NOT NULL GROUP BY state")
    assert not odd, f"records are still due: {odd}"


def _nothing_left(site: Site) -> None:
    """Another sync writes nothing, on no side."""
    before = _marks(site)
    worker = site.start("sync")
    code = worker.wait()
    answer = worker.answer()
    assert code in (0, 3), f"the last sync ended with {code}: {worker.complaints()}"
    assert answer["synced"] == 0, f"a sync without edits wrote something: {answer}"
    assert _marks(site) == before, "a sync without edits changed a side"


def _marks(site: Site) -> tuple[int, dict[str, str]]:
    """What moves with every write: the ledger's feed, and the versions of Dataverse's rows."""
    with Ledger.open(site.ledger_url) as ledger:
        head = ledger.head()
    return head, {number: row["@odata.etag"] for number, row in _dataverse(site).items()}
