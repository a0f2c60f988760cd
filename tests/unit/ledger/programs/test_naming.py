"""A kind of points gets another name: programs and rewards go on with the kind."""

from __future__ import annotations

from decimal import Decimal

import pytest

from connector.ledger.ledger import Ledger
from connector.ledger.operations import Change
from connector.ledger.programs import naming, store
from connector.ledger.programs.checks import examined
from connector.ledger.programs.document import ProgramDocument
from connector.ledger.programs.reading import parsed
from connector.ledger.programs.yaml_text import read_yaml
from connector.ledger.rewards import store as rewards
from connector.ledger.rewards.document import RewardDocument
from tests.unit.ledger.programs.making import item, member, sale

CLUB = """# Ours.
program: club
tiers:
  - {tier: gold, level: 1, points: 5, kind: BONUS}
earn:
  - {rule: base, by: amount, currency: EUR, points: 1, kind: bonus}  # for all
  - rule: other
    by: quantity
    points: 1
    kind: "other"
redeem:
  - {kind: bonus, currency: EUR, points: 100, worth: 1}
extensions:
  - {use: present, with: {kind: bonus, tier: bonus}}
"""
MUGS = "{reward: mugs, name: Mugs, type: fixed, points: 5, kind: bonus, rules: [{rule: any}]}"


@pytest.fixture(autouse=True)
def kinds(ledger: Ledger) -> None:
    for name in ("bonus", "other"):
        make(ledger, name)


def make(ledger: Ledger, name: str) -> None:
    values = {"RewardPointId": name, "RewardPointType": "Quantity", "Redeemable": "Yes"}
    ledger.store("reward-points").create(values, by="test")


def rename(ledger: Ledger, before: str, after: str) -> None:
    points = ledger.store("reward-points")
    record = points.find(before)
    assert record is not None
    points.apply([Change(record.id, None, {"RewardPointId": after})], by="test")


def kept(ledger: Ledger, text: str = CLUB) -> store.Imported:
    with ledger.writing("test") as transaction:
        document = parsed(ProgramDocument, read_yaml(text, "club.yaml"))
        return store.keep(transaction, document, text)


def shown(ledger: Ledger, version: int | None = None) -> str:
    with ledger.reading() as connection:
        return store.version(connection, "club", version).text


def test_a_program_goes_on_with_its_kind(ledger: Ledger) -> None:
    kept(ledger)
    rename(ledger, "bonus", "Stars")
    make(ledger, "bonus")
    with ledger.reading() as connection:
        for programs in (store.load(connection), store.load_versions(connection, {"club": 1})):
            (one,) = programs.programs
            assert [tier.kind for tier in one.document.tiers] == ["Stars"]
            assert {rule.kind.name for rule in programs.rules} == {"Stars", "other"}
            (pays,) = programs.redeeming(member(), "EUR", sale().at)
            assert (pays.kind, pays.points) == ("Stars", Decimal(100))
            (use,) = one.document.extensions
            assert use.with_ == {"kind": "Stars", "tier": "bonus"}


def test_a_program_is_shown_with_the_names_of_today(ledger: Ledger) -> None:
    kept(ledger)
    assert shown(ledger) == CLUB
    rename(ledger, "bonus", "Stars: 5")
    told = shown(ledger)
    assert told == CLUB.replace("kind: bonus", 'kind: "Stars: 5"').replace(
        "kind: BONUS", 'kind: "Stars: 5"'
    )
    assert kept(ledger, told) == ("club", 1, "unchanged")


def test_a_file_that_names_another_kind_is_a_new_version(ledger: Ledger) -> None:
    kept(ledger)
    rename(ledger, "bonus", "stars")
    make(ledger, "bonus")
    assert kept(ledger).effect == "updated"
    assert 'kind: "stars"' in shown(ledger, 1)
    assert shown(ledger, 2) == CLUB


def test_whoever_writes_the_former_name_is_told_the_new_one(ledger: Ledger) -> None:
    kept(ledger)
    rename(ledger, "bonus", "stars")
    with ledger.reading() as connection:
        _, problems = examined(read_yaml(CLUB, "club.yaml"), store.known(connection))
    told = {one.remedy for one in problems if one.code == "point-kind-unknown"}
    assert told == {"it is called `stars` by now: write that"}


def test_a_reward_goes_on_with_its_kind(ledger: Ledger) -> None:
    with ledger.writing("test") as transaction:
        document = parsed(RewardDocument, read_yaml(MUGS, "mugs.yaml"))
        rewards.keep(transaction, document)
    rename(ledger, "bonus", "stars")
    with ledger.reading() as connection:
        (earned,) = rewards.load(connection).earned(sale(item()), member())
        assert earned.kind == "stars"
        assert rewards.stored(connection, "mugs").document.kind == "stars"
    with ledger.writing("test") as transaction:
        named = document.model_copy(update={"kind": "stars"})
        assert rewards.keep(transaction, named).effect == "unchanged"


def test_a_name_nobody_bears_stays_a_name(ledger: Ledger) -> None:
    with ledger.writing("test") as transaction:
        naming.bind(
            transaction.connection, "club", 1, '{"earn": [{"kind": "nobody"}, {"kind": "Bonus"}]}'
        )
        assert naming.renamed(transaction.connection) == {}
    rename(ledger, "bonus", "stars")
    with ledger.reading() as connection:
        assert naming.renamed(connection) == {("club", 1): {"bonus": "stars"}}
