"""One user's budget against a model of the service: full rate, few refusals, each limit alone."""

from __future__ import annotations

import math

import pytest

from connector.endpoints.web.budget import IN_TRANSIT, Budget
from connector.endpoints.web.limits import Limit, Refusal
from tests.unit.endpoints.web.limited import LimitedService, drive

TAKES = 3.2
"""200 ms and 3 ms for each of 1,000 rows."""


def test_it_begins_low_and_follows_the_hint() -> None:
    budget = Budget(32)
    assert budget.parallel == 2
    for number in range(1, 20):
        budget.sent()
        budget.answered(number, number + 0.5, 10)
    assert budget.parallel == 10 + IN_TRANSIT
    budget.sent()
    budget.answered(30.0, 31.0, 3)
    assert budget.parallel == 3 + IN_TRANSIT


def test_without_a_hint_it_goes_as_far_as_it_may() -> None:
    budget = Budget(6)
    for number in range(10):
        budget.sent()
        budget.answered(number, number + 0.5, None)
    assert budget.parallel == 6


@pytest.mark.parametrize("hint", [4, 8, 16])
@pytest.mark.parametrize(("window", "execution"), [(300.0, 1200.0), (60.0, 240.0)])
def test_it_uses_what_the_execution_limit_allows(
    hint: int, window: float, execution: float
) -> None:
    """At least 95 % of what fits, over many windows, with few refusals."""
    service = LimitedService(TAKES, window=window, execution=execution, hint=hint)
    spent = 10 * window
    drive(service, Budget(32), spent)
    theory = execution / window / TAKES * spent
    assert service.done >= 0.95 * theory
    assert len(service.refusals) <= 0.01 * service.done + 10


def test_figures_nobody_names_are_measured() -> None:
    service = LimitedService(TAKES, hint=8, names_figures=False)
    drive(service, Budget(32), 3000.0)
    assert service.done >= 0.9 * 4.0 / TAKES * 3000


def test_small_requests_are_paced_by_their_number() -> None:
    service = LimitedService(0.05, hint=8)
    drive(service, Budget(32), 1500.0)
    assert service.done >= 0.95 * 20 * 1500
    assert {limit for _, limit in service.refusals} == {Limit.REQUESTS}
    assert len(service.refusals) <= 40


def test_too_many_at_once_lowers_the_parallelism_alone() -> None:
    service = LimitedService(0.5, concurrent=6, hint=None, execution=math.inf, requests=10**9)
    budget = Budget(32)
    drive(service, budget, 200.0)
    assert service.most_at_once <= 6
    assert math.isinf(budget.execution.rate)
    assert math.isinf(budget.requests.rate)
    assert service.done >= 0.8 * 6 / 0.5 * 200
    assert len(service.refusals) <= 10


def test_everybody_waits_as_long_as_one_is_told() -> None:
    budget = Budget(8)
    for _ in range(2):
        budget.sent()
    budget.refused(0.0, 1.0, Refusal(Limit.REQUESTS, 30.0, 6000))
    assert budget.wait(1.0) == 30.0
    # A shorter wait told later does not shorten it.
    budget.refused(0.0, 2.0, Refusal(Limit.REQUESTS, 5.0, 6000))
    assert budget.wait(2.0) == 29.0
    assert budget.wait(31.0) == 0.0


def test_requests_that_left_together_are_refused_once() -> None:
    budget = Budget(16)
    for _ in range(10):
        budget.sent()
        budget.answered(0.0, 0.5, 16)
    for _ in range(8):
        budget.sent()
    before = budget.parallel
    for _ in range(8):
        budget.refused(1.0, 1.5, Refusal(Limit.BUSY, 1.0))
    assert budget.parallel == before // 2


def test_many_web_servers_are_found_by_what_was_taken() -> None:
    """Three servers accept three times the limit before one of them refuses."""
    budget = Budget(64)
    for number in range(900):
        budget.sent()
        budget.answered(number / 4, number / 4 + 4.0, 16)
    budget.sent()
    budget.refused(240.0, 240.1, Refusal(Limit.EXECUTION, 10.0, 1200.0))
    assert budget.execution.rate == pytest.approx(12.0)


def test_a_refused_pace_gives_way_and_a_kept_one_grows() -> None:
    service = LimitedService(TAKES, hint=8)
    budget = Budget(32)
    drive(service, budget, 400.0)
    first = budget.execution.rate
    budget.sent()
    budget.refused(500.0, 500.0, Refusal(Limit.EXECUTION, 1.0, 1200.0))
    slower = budget.execution.rate
    assert slower < first
    for second in range(502, 1200, 4):
        budget.sent()
        budget.answered(second, second + 3.2, 8)
    assert budget.execution.rate > slower


def test_a_lost_answer_has_cost_its_time() -> None:
    budget = Budget(8)
    budget.sent()
    budget.lost(0.0, 60.0)
    budget.sent()
    budget.unsent()
    assert budget.in_flight == 0
    budget.sent()
    budget.refused(61.0, 61.0, Refusal(Limit.EXECUTION, 1.0, window=300.0))
    assert budget.execution.rate == pytest.approx(60.0 / 300.0)
