"""Errors of rooms that serve several sides, said of the one they are about.

Owns: the name of the side in the subject of an error.
Never does: catching one for good.
Tested in: tests/unit/endpoints/test_subjects.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from connector.endpoints.base import Page
from connector.errors import DualWriteError


@contextmanager
def about(side: str) -> Iterator[None]:
    """What is raised within is about this side, by the name the config gives it."""
    try:
        yield
    except DualWriteError as error:
        error.subject = replace(error.subject, side=side)
        raise


def pages_of(side: str, pages: Iterable[Page]) -> Iterator[Page]:
    """The same pages, fetched as they are asked for, with errors about this side."""
    with about(side):
        yield from pages
