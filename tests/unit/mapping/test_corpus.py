"""Wrong maps, each with what a person has to be told: code, line and remedy.

The first lines of a file of `corpus/` say what is expected of it: `# code:`, `# line:` and
`# remedy:`, of which the remedy may be told in part. The tables are those of `things.py`.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from connector.errors import MapError, Problem
from connector.mapping.compiling.compiler import findings
from connector.mapping.document import read_document
from tests.unit.mapping.live import lookup_columns
from tests.unit.mapping.things import COMMERCE, DATAVERSE

CORPUS = sorted((Path(__file__).parent / "corpus").glob("*.yaml"))


def told(path: Path) -> Problem:
    """The first thing a person is told about a map."""
    try:
        document = read_document(path)
    except MapError as error:
        return Problem.of(error)
    return next(
        problem
        for problem in findings(document, COMMERCE, DATAVERSE, lookup_columns)
        if problem.severity == "error"
    )


def expected(path: Path) -> dict[str, str]:
    """What the head of the file says."""
    head = "\n".join(path.read_text("utf-8").splitlines()[:3])
    return dict(re.findall(r"^# (code|line|remedy): (.+)$", head, re.MULTILINE))


def test_the_corpus_is_there() -> None:
    assert len(CORPUS) >= 150


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.stem)
def test_a_wrong_map_is_told_where_and_what_to_do(path: Path) -> None:
    problem, wanted = told(path), expected(path)
    assert problem.code == wanted["code"], problem
    assert problem.subject.file == str(path)
    assert problem.subject.line == int(wanted["line"]), problem
    assert problem.subject.column
    assert wanted["remedy"] in problem.remedy
