"""What is kept, and what goes first."""

from __future__ import annotations

from connector.ledger.programs.cache import Cache


def test_the_least_used_goes_first() -> None:
    cache: Cache[object] = Cache(most=2)
    first, second = (cache.get(key, object) for key in "ab")
    assert cache.get("a", object) is first
    cache.get("c", object)
    assert cache.get("a", object) is first
    assert cache.get("b", object) is not second
