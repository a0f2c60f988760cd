"""What refusals say about the service's limits."""

from __future__ import annotations

import pytest

from connector.endpoints.dataverse.limits import refusal_of
from connector.endpoints.web.faults import Fault
from connector.endpoints.web.limits import Limit, Refusal


@pytest.mark.parametrize(
    ("code", "message", "expected"),
    [
        (
            "0x80072322",
            "Number of requests exceeded the limit of 6000 over time window of 300 seconds.",
            Refusal(Limit.REQUESTS, 7.0, 6000.0, 300.0),
        ),
        (
            "0x80072321",
            (
                "Combined execution time of incoming requests exceeded limit of 1,200,000 "
                "milliseconds over time window of 300 seconds. Decrease number of concurrent "
                "requests or reduce the duration of requests and try again later."
            ),
            Refusal(Limit.EXECUTION, 7.0, 1200.0, 300.0),
        ),
        (
            "0x80072326",
            "Number of concurrent requests exceeded the limit of 52.",
            Refusal(Limit.CONCURRENCY, 7.0, 52.0, 300.0),
        ),
        ("0x80072321", "zu viel", Refusal(Limit.EXECUTION, 7.0, 1200.0, 300.0)),
        (
            "0x80072322",
            "limit of , in a window of .. seconds",
            Refusal(Limit.REQUESTS, 7.0, 6000.0),
        ),
        ("", "<html>Too many</html>", Refusal(Limit.BUSY, 7.0)),
    ],
)
def test_the_limit_and_its_figures(code: str, message: str, expected: Refusal) -> None:
    assert refusal_of(Fault(429, code, message, retry_after=7.0)) == expected


def test_what_is_no_limit() -> None:
    assert refusal_of(Fault(503, "0x8004a001", "busy")) is None
    assert refusal_of(Fault(503, "0x8004a001", "busy", retry_after=2.0)) == (
        Limit.BUSY,
        2.0,
        None,
        300,
    )
    assert refusal_of(Fault(400, "0x80044150", "SQL error")) is None
    assert refusal_of(Fault(412, "0x80060882", "version")) is None
