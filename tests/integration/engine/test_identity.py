"""Which rows belong together: keys in other spellings, twins, renamed rows, other worlds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from connector.engine.cycle import settle_due
from connector.errors import IdentityChangedError
from connector.mapping.values import Side, Value
from connector.store.record import Presence, State
from connector.store.work import ChangeKind
from tests.integration.engine.scripted import Killed, Moments

if TYPE_CHECKING:
    from connector.engine.runs.run import MapRun
    from tests.integration.engine.conftest import Bench, MakeBench

C, D = Side.COMMERCE, Side.DATAVERSE


def test_keys_meet_whatever_their_case_and_trailing_blanks(bench: Bench) -> None:
    bench.new(C, "Abc ")
    bench.new(D, "aBC")
    bench.load()
    assert len(bench.records()) == 1
    assert bench.commerce.rows["Cards"].keys() == {"c-Abc "}
    assert bench.dataverse.rows["cards"].keys() == {"d-aBC"}


def parked(bench: Bench) -> list[tuple[str, str]]:
    """(key, code) of every record in the way."""
    return sorted(
        (key, record.problem.code)
        for key, records in bench.records().items()
        for record in records
        if record.problem is not None
    )


@pytest.mark.parametrize("page", [1, 10])
def test_twins_are_set_aside_together_and_others_travel(make_bench: MakeBench, page: int) -> None:
    bench = make_bench(page=page)
    bench.new(C, "twin")
    bench.new(C, "TWIN ")
    bench.new(C, "other")
    bench.load()
    assert parked(bench) == [("twin", "duplicate-key")] * 2
    (message,) = {r.problem.message for r in bench.records()["twin"] if r.problem}
    assert "c-twin" in message
    assert "c-TWIN " in message
    assert "other" in bench.dataverse.by_key("cards")
    verdict = bench.verify()
    assert verdict.equal
    assert verdict.excused >= 1


def test_a_twin_that_comes_later_sets_both_aside(loaded: Bench) -> None:
    loaded.commerce.put("Cards", "late", Number="c1 ", Name="late", Active="Yes")
    loaded.edit(C, "C1", Name="edited")
    loaded.sync()
    assert parked(loaded) == [("c1", "duplicate-key")] * 2
    store = loaded.open()
    for twin in loaded.records()["c1"]:
        assert ChangeKind.PARKED in {row.kind for row in store.history(twin.number)}
    assert loaded.card(D, "C1")["name"] == "C1"


@pytest.mark.parametrize("gone", ["c-C1", "late"])
@pytest.mark.parametrize("how", ["deleted", "renamed"])
def test_when_one_twin_is_gone_the_other_travels_by_itself(
    loaded: Bench, gone: str, how: str
) -> None:
    loaded.commerce.put("Cards", "late", Number="c1", Name="late", Active="Yes")
    loaded.sync()
    assert parked(loaded) == [("c1", "duplicate-key")] * 2
    left = "late" if gone == "c-C1" else "C1"
    if how == "deleted":
        loaded.commerce.drop("Cards", gone)
    else:
        loaded.commerce.put("Cards", gone, Number="renamed")
    loaded.sync()
    assert ("c1", "duplicate-key") not in parked(loaded)
    assert loaded.card(D, "C1")["name"] == left
    if how == "renamed" and gone == "late":
        assert loaded.card(D, "renamed")["name"] == "late"


@pytest.mark.parametrize("side", list(Side))
def test_a_row_that_took_the_place_of_another_unseen_is_no_twin(loaded: Bench, side: Side) -> None:
    """The feed expired, so the scan shows the new row before the old one is known to be gone."""
    entity = "Cards" if side is C else "cards"
    endpoint = loaded.commerce if side is C else loaded.dataverse
    loaded.delete(side, "C1")
    names: dict[str, Value] = {"Number": "C1", "Name": "new", "Active": "Yes"}
    if side is D:
        names = {"number": "C1", "name": "new", "active": True}
    endpoint.change(entity, "another", names)
    endpoint.forget_feed()
    loaded.sync()
    assert parked(loaded) == []
    assert loaded.card(side.other, "C1")["name" if side is C else "Name"] == "new"
    loaded.assert_settled()


def test_twins_in_doubt_that_are_read_one_after_the_other(make_bench: MakeBench) -> None:
    """The first is gone, so that the second takes its record up: one record for its row."""
    bench = make_bench(page=1)
    bench.new(C, "C1")
    bench.load()
    old = bench.dataverse.id_of("cards", "C1")
    bench.dataverse.put("cards", "second", number="c1", name="second", active=True)
    bench.sync()
    assert parked(bench) == [("c1", "duplicate-key")] * 2
    bench.dataverse.drop("cards", old)

    def doubted(run: MapRun) -> None:
        work = run.work()
        for record in bench.records()["c1"]:
            record.dataverse.presence = Presence.UNKNOWN
            record.due = run.now()
            work.updated.append(record)
        run.commit(work)
        settle_due(run)

    bench.run(doubted, "sync")
    held = [r for r in bench.records()["c1"] if r.dataverse.presence is Presence.PRESENT]
    assert [record.dataverse.id for record in held] == ["second"]
    assert parked(bench) == []


@pytest.mark.parametrize("still_there", [True, False])
def test_a_row_in_doubt_is_not_given_up_for_another(loaded: Bench, still_there: bool) -> None:
    """A write to it was under way when we died; meanwhile a second row has its key."""
    loaded.edit(C, "C1", Name="edited")
    loaded.reopen(Moments(kill_on=["dataverse is asked to write"]))
    with pytest.raises(Killed):
        loaded.sync()
    loaded.reopen()
    if not still_there:
        loaded.delete(D, "C1")
    loaded.dataverse.put("cards", "second", number="c1", name="second", active=True)
    loaded.sync()
    if still_there:
        assert parked(loaded) == [("c1", "duplicate-key")] * 2
    else:
        assert parked(loaded) == []
        assert loaded.record("C1").dataverse.id == "second"


def test_a_changed_key_is_parked_until_it_is_put_back(loaded: Bench) -> None:
    loaded.edit(D, "C1", number="other", name="edited")
    loaded.sync()
    assert parked(loaded) == [("c1", "key-changed")]
    told = [row for row in loaded.history("C1") if row.kind is ChangeKind.PARKED]
    assert [str(row.detail).split(":")[0] for row in told] == ["key-changed"]
    assert loaded.card(C, "C1")["Name"] == "C1"
    loaded.edit(D, "other", number="C1")
    loaded.sync()
    assert parked(loaded) == []
    assert loaded.card(C, "C1")["Name"] == "edited"
    loaded.assert_settled()


def test_a_row_without_a_key_is_parked_and_travels_when_it_has_one(loaded: Bench) -> None:
    loaded.dataverse.put("cards", "nameless", number=None, name="x", active=True)
    loaded.sync()
    ((_, code),) = parked(loaded)
    assert code == "key-missing"
    loaded.dataverse.put("cards", "nameless", number="named")
    loaded.sync()
    assert loaded.card(C, "named")["Name"] == "x"
    assert parked(loaded) == []


def test_another_world_is_refused(loaded: Bench) -> None:
    loaded.dataverse.world = "another organization"
    before = loaded.writes()
    with pytest.raises(IdentityChangedError):
        loaded.sync()
    assert loaded.writes() == before


def test_an_edit_of_a_settled_record_leaves_no_trace_in_its_state(loaded: Bench) -> None:
    loaded.edit(C, "C1", Name="edited")
    loaded.sync()
    assert loaded.record("C1").state is State.SETTLED
    assert loaded.record("C1").due is None
