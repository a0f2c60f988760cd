"""What is wrong with map files before any side is asked: all of it, in all files.

Owns: the findings of files that cannot be read as maps.
Never does: live tables (`checking.py`); commands that work maps end with the first finding.
Tested in: tests/acceptance/test_bad_input.py.
"""

from __future__ import annotations

from typing import NamedTuple

from connector.errors import Problem
from connector.mapping.overlay import read_all_maps
from connector.settings import Settings


class Files(NamedTuple):
    """The maps that can be read, by name, and what is wrong with the others."""

    on: list[str]
    off: list[str]
    problems: list[Problem]


def check_files(settings: Settings) -> Files:
    """Read every map with its overlay."""
    documents, wrong = read_all_maps(settings.maps.path, settings.maps.environment)
    problems = [problem for error in wrong for problem in error.found or [Problem.of(error)]]
    on = [document.map for document in documents if document.enabled]
    return Files(on, [one.map for one in documents if not one.enabled], problems)
