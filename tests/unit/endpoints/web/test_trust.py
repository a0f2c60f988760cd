"""What is told of an HTTP library's nested errors."""

from __future__ import annotations

import socket

import pytest
import requests

from connector.endpoints.web.trust import short


def test_of_a_refused_connection_the_reason_is_told() -> None:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    with pytest.raises(requests.ConnectionError) as caught:
        requests.get(f"https://127.0.0.1:{port}/", timeout=5)
    told = short(caught.value)
    assert told.endswith("Connection refused")
    assert "Error(" not in told
    assert "127.0.0.1" not in told


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Connection aborted.", "Connection aborted."),
        ("a\n  b", "a b"),
        ("", "ValueError"),
        ("(Caused by SSLError(1, '[SSL] wrong'))", "SSLError(1, '[SSL] wrong'))"),
    ],
)
def test_other_words_stay_in_one_line(text: str, told: str) -> None:
    assert short(ValueError(text)) == told
