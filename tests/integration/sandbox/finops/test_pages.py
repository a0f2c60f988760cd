"""The pages for a browser."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import requests

from tests.integration.sandbox.finops.conftest import Add

if TYPE_CHECKING:
    from tests.conftest import FinopsSession


@pytest.fixture
def look(sandbox: dict[str, Any], anonymous: requests.Session) -> Any:
    """The text of a page; needs no token."""

    def read(path: str = "", status: int = 200) -> str:
        answer = anonymous.get(sandbox["commerce"] + path, timeout=10)
        assert answer.status_code == status
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        return answer.text

    return read


def test_the_list_shows_cards_and_escapes_them(finops: FinopsSession, add: Add, look: Any) -> None:
    add("<1>/a", PartyNumber="P000000001", LoyaltyEnrollmentDate="2026-01-02T12:00:00Z")
    add("2", LoyaltyEnrollmentDate="1900-01-01T12:00:00Z")
    text = look()
    assert "2 rows" in text
    assert 'href="/commerce/cards/%3C1%3E%2Fa">&lt;1&gt;/a</a>' in text
    assert "<td>2026-01-02</td>" in text
    assert "1900" not in text
    row = look("/cards/%3C1%3E%2Fa")
    assert "P000000001" in row
    assert "<h1>Loyalty card &lt;1&gt;/a</h1>" in row


def test_search_and_pages(finops: FinopsSession, look: Any) -> None:
    finops.switch("samples", {"cards": 60})
    assert "60 rows" in look()
    assert look().count("/commerce/cards/550") == 50
    assert look("?q=&from=50").count("/commerce/cards/550") == 10
    assert "1 rows with “55007”" in look("/cards?q=55007")
    assert "Cash back" in look("/points")


def test_what_is_not_there(look: Any) -> None:
    look("/nothing", 404)
    look("/cards/nobody", 404)
    assert "font" in look("/style.css")
