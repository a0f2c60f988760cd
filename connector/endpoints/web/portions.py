"""Parting what is asked for into requests that are not too long.

Owns: how many texts go into one request.
Never does: knowing what they say.
Tested in: tests/unit/endpoints/web/test_portions.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from urllib.parse import quote

OR = len("%20or%20")


def conditions_in(
    conditions: Iterable[str], longest: int, most: int | None = None
) -> Iterator[list[str]]:
    """Conditions of a filter, joined by `or`, so that its encoded text stays within `longest`.

    `most` is how many a filter may have at all.
    """
    return portions(conditions, lambda one: len(quote(one)) + OR, longest, most)


def portions(
    texts: Iterable[str], length: Callable[[str], int], longest: int, most: int | None = None
) -> Iterator[list[str]]:
    """Lists of texts whose lengths stay within `longest` together; a longer one goes alone."""
    portion: list[str] = []
    size = 0
    for text in texts:
        added = length(text)
        if portion and (len(portion) == most or size + added > longest):
            yield portion
            portion, size = [], 0
        portion.append(text)
        size += added
    if portion:
        yield portion
