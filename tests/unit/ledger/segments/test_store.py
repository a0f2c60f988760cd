"""Segments are kept by version, all files of an import or none."""

from __future__ import annotations

from pathlib import Path

import pytest

from connector.errors import ConfigError, UsageError
from connector.ledger.ledger import Ledger
from connector.ledger.operations import Change
from connector.ledger.programs.document import ProgramDocument
from connector.ledger.programs.store import keep as keep_program
from connector.ledger.segments import marking, store
from connector.ledger.segments.library import bring

IDLE = "segment: {name}\ntitle: {title}\nwho:\n  idle: {days} days\n"


def written(folder: Path, name: str, text: str) -> Path:
    path = folder / f"{name}.yaml"
    path.write_text(text, "utf-8")
    return path


def idle(folder: Path, name: str = "gone", days: int = 30, title: str = "Gone") -> Path:
    return written(folder, name, IDLE.format(name=name, days=days, title=title))


def test_changed_content_is_the_next_version(ledger: Ledger, tmp_path: Path) -> None:
    effects = [bring(ledger, [idle(tmp_path, days=days)], "ann")[0][1] for days in (30, 30, 60)]
    assert [(one.version, one.effect) for one in effects] == [
        (1, "created"),
        (1, "unchanged"),
        (2, "updated"),
    ]
    with ledger.reading() as connection:
        (newest,) = store.listed(connection)
        assert (newest.version, newest.by, newest.document.who.idle) == (2, "ann", "60 days")
        assert [one.version for one in store.versions(connection, "GONE")] == [2, 1]
        assert "idle: 60 days" in store.found(connection, "gone").text


def test_one_bad_file_keeps_all_out(ledger: Ledger, tmp_path: Path) -> None:
    bad = written(tmp_path, "bad", "segment: bad\nwho: {programs: [nobody]}")
    with pytest.raises(ConfigError) as caught:
        bring(ledger, [idle(tmp_path), bad], "ann")
    assert caught.value.code == "segment-program"
    assert caught.value.subject.file == str(bad)
    twin = written(tmp_path, "two", IDLE.format(name="gone", days=1, title="Twin"))
    with pytest.raises(ConfigError) as caught:
        bring(ledger, [idle(tmp_path), twin], "ann")
    assert caught.value.code == "segment-twice"
    with ledger.reading() as connection:
        assert store.listed(connection) == []


@pytest.mark.parametrize(
    ("who", "code", "part"),
    [
        ("programs: [gold-clup]", "segment-program", "did you mean `gold-club`"),
        ("not: {tier: {program: kids}}", "segment-program", "gold-club"),
        ("tier: {program: gold-club, one-of: [sliver]}", "segment-tier", "silver"),
        ("any: [{points: {kind: bonsu}}]", "segment-kind", "Bonus"),
    ],
)
def test_what_the_ledger_does_not_have_is_refused(
    ledger: Ledger, tmp_path: Path, who: str, code: str, part: str
) -> None:
    ledger.store("reward-points").create(
        {"RewardPointId": "Bonus", "RewardPointType": "Quantity"}, by="t"
    )
    tier = {"tier": "silver", "level": 1, "points": 5, "kind": "Bonus"}
    program = ProgramDocument.model_validate({"program": "gold-club", "tiers": [tier]})
    with ledger.writing("t") as transaction:
        keep_program(transaction, program, "")
    with pytest.raises(ConfigError) as caught:
        bring(ledger, [written(tmp_path, "s", f"segment: s\nwho:\n  {who}")], "ann")
    assert caught.value.code == code
    assert part in caught.value.remedy


def test_a_segment_goes_when_nothing_is_marked_by_it(ledger: Ledger, tmp_path: Path) -> None:
    bring(ledger, [idle(tmp_path)], "ann")
    marking.mark(ledger, "gone", by="ann")
    with pytest.raises(UsageError) as caught, ledger.writing("t") as transaction:
        store.delete(transaction, "gone")
    assert caught.value.code == "segment-marked"
    marking.unmark(ledger, "gone", by="ann")
    with ledger.writing("t") as transaction:
        store.delete(transaction, "gone")
    with pytest.raises(UsageError) as caught, ledger.reading() as connection:
        store.found(connection, "gone")
    assert caught.value.code == "segment-unknown"


def test_a_segment_goes_on_with_a_kind_that_is_renamed(ledger: Ledger, tmp_path: Path) -> None:
    points = ledger.store("reward-points")
    kind = points.create({"RewardPointId": "bonus", "RewardPointType": "Quantity"}, by="t")
    rich = "segment: rich\nwho:\n  points: {kind: bonus, least: 5}\n"
    bring(ledger, [written(tmp_path, "rich", rich)], "ann")
    points.apply([Change(kind.id, None, {"RewardPointId": "stars"})], by="t")
    with ledger.reading() as connection:
        found = store.found(connection, "rich")
    assert found.document.who.points is not None
    assert found.document.who.points.kind == "stars"
    again = written(tmp_path, "again", found.text)
    assert bring(ledger, [again], "ann")[0][1].effect == "unchanged"
    with ledger.writing("ann") as transaction:
        store.delete(transaction, "rich")
    assert bring(ledger, [again], "ann")[0][1].effect == "created"
