"""What a run's endings mean for the exit code a scheduler reads."""

from __future__ import annotations

import pytest

from connector.errors import LeaseHeldError, MapError, MapStoppedError
from connector.operations.outcomes import MapOutcome, Need, exit_code

PARKED = Need("cards", "parked", 1)
STOPPED = MapStoppedError("delete-guard", "stopped", remedy="resume")
HELD = LeaseHeldError("lease-held", "held", remedy="wait")
WRONG = MapError("column-unknown", "wrong", remedy="correct")


@pytest.mark.parametrize(
    ("outcomes", "needs", "code"),
    [
        ([MapOutcome("a", finished=True)], [], 0),
        ([MapOutcome("a", finished=False)], [], 0),
        ([MapOutcome("a", finished=True)], [PARKED], 3),
        ([MapOutcome("a", error=HELD)], [], 5),
        ([MapOutcome("a", error=HELD), MapOutcome("b", error=WRONG)], [PARKED], 2),
        ([MapOutcome("a", error=STOPPED)], [], 3),
    ],
)
def test_the_gravest_ending_decides(
    outcomes: list[MapOutcome], needs: list[Need], code: int
) -> None:
    assert exit_code(outcomes, needs) == code


def test_what_needed_a_person_before_is_known() -> None:
    quiet = MapOutcome("cards", finished=True)
    assert exit_code([quiet], [PARKED], known_ok=True) == 0
    assert exit_code([quiet], [PARKED]) == 3


def test_what_this_run_parked_is_news() -> None:
    news = MapOutcome("cards", finished=True, counts={"parked": 1})
    assert exit_code([news], [PARKED], known_ok=True) == 3


def test_a_map_stopped_before_is_known_and_one_stopped_now_is_not() -> None:
    before = MapOutcome("cards", error=STOPPED, stopped_before=True)
    now = MapOutcome("cards", error=STOPPED)
    stopped = Need("cards", "stopped", 1)
    assert exit_code([before], [stopped], known_ok=True) == 0
    assert exit_code([now], [stopped], known_ok=True) == 3
    assert exit_code([before], [stopped]) == 3
