"""The threads that send webhooks live through whatever a registration says."""

from __future__ import annotations

import time

import pytest

from connector.sandbox.courier import PARALLEL, Courier, Letter
from tests.integration.sandbox.receiver import PATIENCE_SECONDS, receiving


@pytest.mark.parametrize(
    ("url", "headers", "problem"),
    [
        ("http://127.0.0.1:1/hook", {"x-key": "two\nlines"}, "ValueError"),
        ("http://127.0.0.1:1/hook", {"x-key": "Ключ"}, "UnicodeEncodeError"),
        ("http://127.0.0.1:port/hook", {}, "ValueError"),
    ],
)
def test_what_cannot_be_sent_fails_and_the_next_letter_goes_out(
    url: str, headers: dict[str, str], problem: str
) -> None:
    courier = Courier()
    with receiving() as receiver:
        for _ in range(PARALLEL):
            courier.send(Letter(url, lambda: (headers, b"{}")))
        courier.send(Letter(receiver.url, lambda: ({}, b"{}")))
        receiver.wait(1)
        end = time.monotonic() + PATIENCE_SECONDS
        while courier.counts()["waiting"]:
            assert time.monotonic() < end
            time.sleep(0.01)
    counts = courier.counts()
    assert (counts["delivered"], counts["failed"]) == (1, PARALLEL)
    assert {one["problem"] for one in counts["problems"]} == {problem}
