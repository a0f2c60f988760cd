"""Killed at every commit and every request: the same command again ends as if nothing had been."""

from __future__ import annotations

import contextlib
import copy
import shutil
from collections.abc import Callable
from typing import TYPE_CHECKING

from connector.endpoints.base import Create, Delete, Update
from connector.errors import UsageError
from connector.mapping.values import Side
from tests.integration.engine.scripted import Killed, Moments

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.engine.conftest import Bench

C, D = Side.COMMERCE, Side.DATAVERSE


class Snapshot:
    """Both systems and the state as they were at one time, to start from again and again."""

    def __init__(self, bench: Bench, folder: Path) -> None:
        bench.close()
        self._bench = bench
        self._sides = copy.deepcopy((bench.commerce, bench.dataverse))
        self._file = folder / "snapshot.db"
        shutil.copy(bench.path, self._file)

    def restore(self, moments: Moments) -> None:
        """Everything as it was; the next process dies where `moments` says."""
        bench = self._bench
        bench.close()
        for suffix in ("-wal", "-shm"):
            bench.path.with_name(bench.path.name + suffix).unlink(missing_ok=True)
        shutil.copy(self._file, bench.path)
        bench.commerce, bench.dataverse = copy.deepcopy(self._sides)
        bench.reopen(moments)


def kill_everywhere(bench: Bench, folder: Path, command: Callable[[], object]) -> int:
    """Run `command` to each of its moments, again after each death; how many there were."""
    snapshot = Snapshot(bench, folder)
    snapshot.restore(Moments())
    command()
    writes = bench.writes()
    assert_equal(bench)
    for moment in range(1, 1000):
        snapshot.restore(Moments(kill_at=moment))
        try:
            command()
        except Killed:
            names = bench.moments.names
        else:
            return moment
        bench.reopen()
        try:
            again(bench, command)
            assert_equal(bench)
            # Nothing is written twice, not even what was in flight: it is read first.
            assert bench.writes() == writes
        except BaseException as error:
            error.add_note(f"killed at {moment}: {names[-4:]}")
            raise
    raise AssertionError("the command never came to its end")


def again(bench: Bench, command: Callable[[], object]) -> None:
    """The same command once more, in a new process."""
    with contextlib.suppress(UsageError):  # a load that had come to its end
        command()


def assert_equal(bench: Bench) -> None:
    """Both sides hold the same cards, none twice."""
    commerce, dataverse = bench.commerce.by_key("Cards"), bench.dataverse.by_key("cards")
    assert commerce.keys() == dataverse.keys()
    for key, card in commerce.items():
        other = dataverse[key]
        names = ("Name", "Level", "Note")
        assert [card.get(n) for n in names] == [other.get(n.lower()) for n in names], key
    bench.assert_settled()


def test_load(bench: Bench, tmp_path: Path) -> None:
    for n in range(1, 8):
        bench.new(C, f"C{n}")
    for n in range(1, 3):
        bench.new(D, f"D{n}")
    bench.new(D, "C1", "theirs")
    assert kill_everywhere(bench, tmp_path, bench.load) > 25


def test_sync_with_every_kind_of_write(loaded: Bench, tmp_path: Path) -> None:
    for n in range(6, 10):
        loaded.new(C, f"C{n}")
    loaded.new(D, "D4")
    loaded.edit(C, "C1", Name="edited", Level=2)
    loaded.edit(D, "C2", name="edited")
    loaded.edit(C, "D1", Level=3)
    loaded.edit(D, "D1", name="both")
    loaded.delete(C, "C3")
    loaded.delete(D, "C4")
    assert kill_everywhere(loaded, tmp_path, loaded.sync) > 25
    kinds = {type(operation) for operation in loaded.dataverse.written}
    assert kinds == {Create, Update, Delete}
