"""A state moves as a file: all of it or nothing, from any database to any other."""

from __future__ import annotations

import gzip
import json
import stat
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest

from connector.errors import StateError, UsageError
from connector.mapping.values import Side
from connector.store.opening import open_store
from connector.store.record import Conflict, Wait
from connector.store.sql_store import SqlStore
from connector.store.transfer import export_state, import_state
from connector.store.work import Change, ChangeKind, MapRow, Position, Work, World

if TYPE_CHECKING:
    from tests.contract.store.conftest import Kit

DATABASES_ONLY = True

PAIR = {Side.COMMERCE: {"CardNumber": "Ünï’\n"}, Side.DATAVERSE: {}}


def quiet(_step: str, _count: int) -> None:
    return None


def fill(kit: Kit, count: int = 30) -> None:
    """Something in every table a run or a person writes to."""
    for side in Side:
        kit.store.bind_world(World(side, f"world-{side}", "Title", 3, "v9"))
    numbers = range(1, count + 1)
    kit.commit(
        inserted=[kit.record(n) for n in numbers],
        waits={2: (Wait("currency", Side.DATAVERSE, "currencies", "code", "EUR"),)},
        conflicts={3: (Conflict("a", PAIR, PAIR),)},
        changes=[
            Change(n, n, ChangeKind.UPDATE, Side.COMMERCE, 1, "id", "v", {}, PAIR[Side.COMMERCE],
                   None, "why", PAIR)
            for n in numbers
        ],
        positions=[Position(Side.COMMERCE, "feed", "token", ("a",), 3, 7, 100.25, "x", "v9")],
        incidents={"rejected": 4},
        alerted={"rule": 99.0},
        map=MapRow(kit.map, "f1", "1.0.0.0", 90.0),
        described="{}",
    )  # fmt: skip
    kit.store.numbers("tick", 12_345)
    kit.store.forget(kit.lease, 5, "c5", 120.0)
    kit.store.finish_run(kit.run, 130.5, "done", {"read commerce": 3}, {"code": "x"})


def exported(store: Any, path: Path, at: float = 200.0) -> Path:
    export_state(cast(SqlStore, store), path, at, quiet)
    return path


def lines(path: Path) -> list[Any]:
    return [json.loads(line) for line in gzip.decompress(path.read_bytes()).splitlines()]


def content(path: Path) -> list[str]:
    """Everything but the check sum; databases sort texts each in their own way."""
    return sorted(json.dumps(line) for line in lines(path)[:-1])


@pytest.fixture(autouse=True)
def only_databases(request: pytest.FixtureRequest) -> None:
    if "memory" in request.node.name:
        pytest.skip("a state in memory does not outlive its process: nobody moves it")


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Callable[[], SqlStore]]:
    """Makes new states in SQLite."""
    made: list[SqlStore] = []

    def make() -> SqlStore:
        made.append(open_store(f"sqlite:///{tmp_path}/empty{len(made)}.db"))
        return made[-1]

    yield make
    for store in made:
        store.close()


def test_everything_arrives_and_sequences_go_on(
    kit: Kit, empty: Callable[[], SqlStore], tmp_path: Path
) -> None:
    fill(kit)
    file = exported(kit.store, tmp_path / "state.gz")
    target = empty()
    counts = import_state(target, file, quiet)
    assert counts["records"] == 29
    assert counts["changes"] == 30
    assert all(counts[table] for table in counts if table != "departed"), counts
    again = exported(target, tmp_path / "again.gz")
    assert content(again) == content(file)
    assert target.history(7) == kit.store.history(7)
    assert target.forgotten(kit.map, "c5") == 120.0, "the secret of the hashes travels"
    assert target.numbers("tick", 1) == kit.store.numbers("tick", 1)
    assert target.start_run("sync", kit.map, "f", 1.0) == kit.run + 1
    lease = target.acquire(kit.map, "new machine", 60)
    layout = target.layout(kit.map, {side: kit.layout.columns[side] for side in Side})
    assert target.by_numbers(layout, [1])[1] == kit.get(1)
    assert lease.holder == "new machine", "leases of the old machine mean nothing here"


def test_a_state_moves_from_sqlite_to_postgresql(
    kit: Kit, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    if "sqlite" not in request.node.name:
        pytest.skip("the other way is the test above")
    fill(kit)
    file = exported(kit.store, tmp_path / "state.gz")
    target = open_store(request.getfixturevalue("postgresql").empty_state())
    try:
        import_state(target, file, quiet)
        assert content(exported(target, tmp_path / "again.gz")) == content(file)
        assert target.start_run("sync", kit.map, "f", 1.0) == kit.run + 1
        new = replace(kit.record(99), key="other")
        layout = target.layout(kit.map, {side: kit.layout.columns[side] for side in Side})
        lease = target.acquire(kit.map, "new machine", 60)

        target.commit(lease, Work(kit.run + 1, 1.0, inserted=[new]))
        assert target.by_numbers(layout, [99])[99] == new
    finally:
        target.close()


def test_a_commit_meanwhile_is_not_in_the_file(kit: Kit, tmp_path: Path) -> None:
    fill(kit)
    added = 0

    def meanwhile(_step: str, _count: int) -> None:
        nonlocal added
        if added == 0:
            kit.commit(inserted=[kit.record(n) for n in range(100, 110)])
        added += 1

    store = cast(SqlStore, kit.store)
    counts = export_state(store, tmp_path / "state.gz", 200.0, meanwhile)
    assert added > 0
    assert counts["records"] == 29
    assert sum(isinstance(line, list) for line in lines(tmp_path / "state.gz")) == sum(
        counts.values()
    )


def test_the_file_is_for_its_owner_and_replaces_nothing(kit: Kit, tmp_path: Path) -> None:
    file = exported(kit.store, tmp_path / "state.gz")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    before = file.read_bytes()
    with pytest.raises(UsageError) as caught:
        exported(kit.store, file)
    assert caught.value.code == "export-exists"
    assert file.read_bytes() == before
    with pytest.raises(UsageError) as caught:
        exported(kit.store, tmp_path / "nowhere" / "state.gz")
    assert caught.value.code == "export-unwritable"
    assert sorted(path.name for path in tmp_path.iterdir() if "state.gz" in path.name) == [
        "state.gz"
    ]


def test_a_state_that_holds_something_is_left_alone(
    kit: Kit, empty: Callable[[], SqlStore], tmp_path: Path
) -> None:
    fill(kit)
    file = exported(kit.store, tmp_path / "state.gz")
    target = empty()
    target.start_run("sync", "other", "f", 1.0)
    with pytest.raises(StateError) as caught:
        import_state(target, file, quiet)
    assert caught.value.code == "state-not-empty"
    assert [run.map for run in target.runs(None, 10)] == ["other"]


def packed(path: Path, text: bytes) -> Path:
    path.write_bytes(gzip.compress(text))
    return path


def test_a_damaged_file_imports_nothing(
    kit: Kit, empty: Callable[[], SqlStore], tmp_path: Path
) -> None:
    fill(kit)
    whole = exported(kit.store, tmp_path / "state.gz").read_bytes()
    text = gzip.decompress(whole)
    rows = text.splitlines(keepends=True)
    damaged = {
        "cut gzip": whole[: len(whole) // 2],
        "no end": gzip.compress(b"".join(rows[:-1])),
        "cut line": gzip.compress(text[: len(text) // 2]),
        "another value": gzip.compress(text.replace(b"somebody", b"sOmebody", 1)),
        "a row less": gzip.compress(b"".join([*rows[:-2], rows[-1]])),
        "a row twice": gzip.compress(b"".join([*rows[:-1], rows[-2], rows[-1]])),
        "more behind the end": gzip.compress(text + b"[]\n"),
        "flipped bits": whole[:200] + bytes(255 - b for b in whole[200:260]) + whole[260:],
    }
    target = empty()
    for how, content in damaged.items():
        file = tmp_path / "damaged.gz"
        file.write_bytes(content)
        with pytest.raises(StateError) as caught:
            import_state(target, file, quiet)
        assert caught.value.code == "export-damaged", how
        assert target.map_rows() == [], how
        assert target.runs(None, 10) == [], how
        assert target.numbers("record", 1) > 0, "the sequences of a new state are still there"
    import_state(target, tmp_path / "state.gz", quiet)


@pytest.mark.parametrize(
    ("head", "code"),
    [
        ({"format": "something else"}, "export-foreign"),
        ({"schema": "9999"}, "export-newer"),
        ({"version": 2}, "export-newer"),
        ({"schema": "0001"}, "export-older"),
        ({"counts": {}}, "export-damaged"),
    ],
)
def test_a_file_of_another_version_is_refused(
    kit: Kit, empty: Callable[[], SqlStore], tmp_path: Path, head: dict[str, Any], code: str
) -> None:
    first, *rest = lines(exported(kit.store, tmp_path / "state.gz"))
    text = "\n".join(json.dumps(line) for line in [{**first, **head}, *rest])
    with pytest.raises(StateError) as caught:
        import_state(empty(), packed(tmp_path / "other.gz", text.encode()), quiet)
    assert caught.value.code == code


@pytest.mark.parametrize("content", [b"", b"no gzip at all", gzip.compress(b"no json", mtime=0)])
def test_a_file_of_something_else(
    empty: Callable[[], SqlStore], tmp_path: Path, content: bytes
) -> None:
    file = tmp_path / "other"
    file.write_bytes(content)
    with pytest.raises(StateError) as caught:
        import_state(empty(), file, quiet)
    assert caught.value.code in ("export-foreign", "export-damaged")
    with pytest.raises(UsageError) as missing:
        import_state(empty(), tmp_path / "missing", quiet)
    assert missing.value.code == "export-unreadable"
