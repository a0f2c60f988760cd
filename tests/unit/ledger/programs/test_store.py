"""Programs in a ledger: versions, off and on, and what is kept in memory."""

from __future__ import annotations

import pytest

from connector.errors import UsageError
from connector.ledger.ledger import Ledger
from connector.ledger.programs import store
from connector.ledger.programs.document import ProgramDocument
from connector.ledger.programs.reading import parsed
from connector.ledger.programs.store import Imported
from connector.ledger.programs.yaml_text import read_yaml
from tests.unit.ledger.programs.making import item, member, sale

ONE = """program: club
title: Club
earn:
  - {rule: base, by: amount, currency: EUR, points: 1, kind: bonus}
"""
TWO = ONE.replace("points: 1", "points: 2")


def document(text: str) -> ProgramDocument:
    return parsed(ProgramDocument, read_yaml(text, "club.yaml"))


def kept(ledger: Ledger, text: str) -> Imported:
    with ledger.writing("test") as transaction:
        return store.keep(transaction, document(text), text)


def earned(ledger: Ledger) -> list[int]:
    with ledger.reading() as connection:
        found = store.load(connection).earned(sale(item(amount="10")), member())
    return [int(one.points) for one in found]


def test_changed_content_is_the_next_version(ledger: Ledger) -> None:
    assert earned(ledger) == []
    assert kept(ledger, ONE) == ("club", 1, "created")
    assert earned(ledger) == [10]
    assert kept(ledger, ONE + "# a comment\n") == ("club", 1, "unchanged")
    assert kept(ledger, TWO) == ("club", 2, "updated")
    assert earned(ledger) == [20]
    assert kept(ledger, ONE) == ("club", 3, "updated")
    assert earned(ledger) == [10]


def test_older_versions_are_kept_as_they_were(ledger: Ledger) -> None:
    kept(ledger, ONE)
    kept(ledger, TWO)
    with ledger.reading() as connection:
        newest, oldest = store.versions(connection, "club")
        assert (newest.version, newest.text, newest.title) == (2, TWO, "Club")
        assert (oldest.version, oldest.text, oldest.document) == (1, ONE, document(ONE))
        assert (oldest.by, oldest.at) == ("test", ledger.now())
        assert [one.version for one in store.listed(connection)] == [2]
        old = store.load_versions(connection, {"club": 1})
        assert [one.points for one in old.earned(sale(), member())] == [10]
        assert old.versions == {"club": 1}


def test_a_program_is_switched_off_and_on(ledger: Ledger) -> None:
    kept(ledger, ONE)
    with ledger.writing("test") as transaction:
        assert store.switch(transaction, "club", active=False)
        assert not store.switch(transaction, "club", active=False)
    assert earned(ledger) == []
    with ledger.reading() as connection:
        assert [one.active for one in store.listed(connection)] == [False]
        assert store.load_versions(connection, {"club": 1}).versions == {"club": 1}
    kept(ledger, TWO)
    assert earned(ledger) == [], "an import does not switch it on"
    with ledger.writing("test") as transaction:
        assert store.switch(transaction, "club", active=True)
    assert earned(ledger) == [20]


def test_an_unknown_program_is_refused_with_the_nearest_name(ledger: Ledger) -> None:
    kept(ledger, ONE)
    with ledger.writing("test") as transaction, pytest.raises(UsageError) as caught:
        store.switch(transaction, "clup", active=True)
    assert caught.value.code == "program-unknown"
    assert "did you mean `club`?" in caught.value.remedy
    with ledger.reading() as connection:
        with pytest.raises(UsageError):
            store.versions(connection, "clup")
        with pytest.raises(UsageError) as lost:
            store.load_versions(connection, {"club": 2})
    assert lost.value.code == "program-version-unknown"


def test_programs_are_compiled_once_while_nothing_changes(ledger: Ledger) -> None:
    kept(ledger, ONE)
    with ledger.reading() as connection:
        first = store.load(connection)
        assert store.load(connection) is first
        old = store.load_versions(connection, {"club": 1})
        assert store.load_versions(connection, {"club": 1}) is old
    kept(ledger, TWO)
    with ledger.reading() as connection:
        assert store.load(connection) is not first


def test_a_kind_that_changes_rounds_anew(ledger: Ledger) -> None:
    kept(ledger, ONE.replace("points: 1", "points: 0.25"))
    points = ledger.store("reward-points")
    points.create({"RewardPointId": "Bonus", "RewardPointType": "Quantity"}, by="test")
    with ledger.reading() as connection:
        (one,) = store.load(connection).earned(sale(item(amount="11")), member())
        assert (one.kind, str(one.points)) == ("Bonus", "3")
    record = points.find("bonus")
    assert record is not None
    amount = {"RewardPointType": "Amount", "RewardPointCurrency": "EUR"}
    points.update(record.id, amount, by="test")
    with ledger.reading() as connection:
        (one,) = store.load(connection).earned(sale(item(amount="11")), member())
        assert str(one.points) == "2.75"


def test_what_documents_are_checked_against(ledger: Ledger) -> None:
    ledger.store("reward-points").create(
        {
            "RewardPointId": "Cash",
            "RewardPointType": "Amount",
            "RewardPointCurrency": "JPY",
            "Redeemable": "No",
            "RedeemRanking": 4,
        },
        by="test",
    )
    with ledger.reading() as connection:
        known = store.known(connection)
    kind = known.kinds["cash"]
    assert (kind.name, kind.whole, kind.currency) == ("Cash", False, "JPY")
    assert (kind.redeemable, kind.ranking) == (False, 4)
    assert "eur" in known.currencies
    assert known.units == frozenset()
