"""Files are noticed when they have changed, not while they are written."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from connector.live.folder import looks_of, watching


class Steps(threading.Event):
    """Ends a task after as many looks as there are things to do before each."""

    def __init__(self, *steps: Callable[[], object]) -> None:
        super().__init__()
        self._steps = list(steps)

    def wait(self, timeout: float | None = None) -> bool:
        if not self._steps:
            return True
        self._steps.pop(0)()
        return False


def nothing() -> None:
    return None


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "overlays").mkdir()
    (tmp_path / "card.yaml").write_text("map: card")
    return tmp_path


def told(folder: Path, *steps: Callable[[], object]) -> int:
    """How often a change was told of."""
    count: list[int] = []
    watching(folder, lambda: count.append(1))(Steps(*steps))
    return len(count)


def test_a_change_is_told_once_it_is_at_rest(folder: Path) -> None:
    def written(text: str) -> Callable[[], object]:
        return lambda: (folder / "card.yaml").write_text(text)

    assert told(folder, nothing, nothing) == 0
    assert told(folder, written("map: cards"), nothing, nothing, nothing) == 1
    growing = [written("map: " + "x" * n) for n in range(9)]
    assert told(folder, *growing) == 0
    assert told(folder, *growing, nothing) == 1


def test_what_is_put_back_before_it_is_at_rest_is_no_change(folder: Path) -> None:
    extra = folder / "overlays" / "test.yml"
    assert told(folder, lambda: extra.write_text(""), extra.unlink, nothing, nothing) == 0


def test_files_of_inner_folders_count_others_do_not(folder: Path) -> None:
    before = looks_of(folder)
    (folder / "notes.txt").write_text("x")
    assert looks_of(folder) == before
    (folder / "overlays" / "card.yaml").write_text("conflict: manual")
    assert len(looks_of(folder)) == 2
    (folder / "nowhere.yaml").symlink_to(folder / "gone")
    assert len(looks_of(folder)) == 2
    assert looks_of(folder / "gone") == ()
