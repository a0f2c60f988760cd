"""What the health object says of live, ready and active."""

from __future__ import annotations

import pytest

from connector.live.board import Board, MapHealth, Standing


class Clock:
    now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def board(clock: Clock) -> Board:
    return Board("host/1", "1.0", clock, silence=60.0)


def show(board: Board, *standings: Standing) -> tuple[bool, bool, bool]:
    board.show([MapHealth(f"map-{n}", one) for n, one in enumerate(standings)])
    return board.live, board.ready, board.active


def test_it_is_ready_while_every_map_is_in_good_hands(board: Board) -> None:
    assert (board.live, board.ready, board.active) == (True, False, False)
    assert show(board, Standing.ACTIVE, Standing.ACTIVE) == (True, True, True)
    assert show(board, Standing.ACTIVE, Standing.PAUSED) == (True, True, True)
    assert show(board, Standing.STANDBY, Standing.STANDBY) == (True, True, False)
    assert show(board, Standing.STANDBY, Standing.BUSY) == (True, True, True)
    for unwell in (Standing.STARTING, Standing.NEW, Standing.FAILING):
        assert show(board, Standing.ACTIVE, unwell) == (True, False, True)


def test_nobody_is_sent_to_an_instance_that_has_only_begun(board: Board) -> None:
    assert show(board, Standing.STARTING, Standing.STARTING) == (True, False, False)
    assert show(board, Standing.STARTING, Standing.ACTIVE) == (True, False, True)


def test_what_another_instance_has_is_not_active_here(board: Board) -> None:
    board.show([MapHealth("card", Standing.FAILING, ours=False)])
    assert (board.ready, board.active) == (False, False)


def test_why_changed_files_are_not_used_is_told(board: Board) -> None:
    board.show([], {"code": "map-invalid"})
    assert board.as_dict([], [])["files"] == {"code": "map-invalid"}
    board.show([])
    assert board.as_dict([], [])["files"] is None


def test_work_that_falls_silent_is_dead_until_it_beats_again(board: Board, clock: Clock) -> None:
    show(board, Standing.ACTIVE)
    clock.now += 61
    assert (board.live, board.ready, board.active) == (False, False, False)
    board.beat()
    assert (board.live, board.ready, board.active) == (True, True, True)


def test_lag_grows_while_nobody_looks(board: Board, clock: Clock) -> None:
    board.show([MapHealth("card", Standing.ACTIVE, read_at=clock.now)])
    clock.now += 7.5
    (shown,) = board.as_dict([], [])["maps"]
    assert shown["lag_seconds"] == 7.5
    assert shown["last_cycle"] == "1970-01-01T00:16:40.000+00:00"
