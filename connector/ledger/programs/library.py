"""Program files coming into a ledger.

Owns: reading and checking several at once, bringing in all of them or none.
Never does: judging a document (`checks.py`), its statements (`store.py`).
Tested in: tests/unit/ledger/programs/test_library.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from connector.errors import ConfigError, Problem, Subject
from connector.ledger.programs import standing, store
from connector.ledger.programs.checks import Known, examined
from connector.ledger.programs.document import ProgramDocument
from connector.ledger.programs.reading import read_file, refusal
from connector.ledger.programs.store import Imported

if TYPE_CHECKING:
    from connector.ledger.ledger import Ledger


class Checked(NamedTuple):
    """One file, and what is wrong with it; `document` None where it cannot be read as one."""

    file: str
    text: str
    document: ProgramDocument | None
    problems: list[Problem]


class Brought(NamedTuple):
    """What an import did."""

    files: list[tuple[str, Imported]]
    warnings: list[Problem]
    tiers: int
    """Rows of card tiers that changed with it."""


def check(paths: Sequence[Path], ledger: Ledger | None = None) -> list[Checked]:
    """Examine files, with a ledger also by the kinds, currencies and stores it has."""
    known = None
    if ledger is not None:
        with ledger.reading() as connection:
            known = store.known(connection)
    checked: list[Checked] = []
    for path in paths:
        one = _checked(path, known)
        name = one.document.program if one.document else None
        before = [other for other in checked if other.document and other.document.program == name]
        if before:
            one.problems.append(
                Problem(
                    "program-twice",
                    f"program `{name}` stands in {before[0].file} already",
                    "give one of the two another name",
                    Subject(file=str(path)),
                )
            )
        checked.append(one)
    return checked


def bring(ledger: Ledger, paths: Sequence[Path], by: str) -> Brought:
    """Import files: each with changed content becomes the next version of its program.

    Tiers of cards follow at once. Raises ConfigError where any file has an error; nothing is
    imported then.
    """
    checked = check(paths, ledger)
    problems = [problem for one in checked for problem in one.problems]
    if any(one.severity == "error" for one in problems):
        raise refusal(problems)
    with ledger.writing(by) as transaction:
        files = [
            (one.file, store.keep(transaction, one.document, one.text))
            for one in checked
            if one.document is not None
        ]
    changed = any(done.effect != "unchanged" for _, done in files)
    return Brought(files, problems, standing.restate_all(ledger, by) if changed else 0)


def switch(ledger: Ledger, name: str, by: str, *, active: bool) -> tuple[bool, int]:
    """Switch a program on or off: whether it changed, and how many rows of tiers did.

    Raises UsageError `program-unknown`.
    """
    with ledger.writing(by) as transaction:
        changed = store.switch(transaction, name, active=active)
    return changed, standing.restate_all(ledger, by) if changed else 0


def _checked(path: Path, known: Known | None) -> Checked:
    try:
        file = read_file(path)
    except ConfigError as error:
        return Checked(str(path), "", None, [Problem.of(error)])
    document, problems = examined(file, known)
    return Checked(file.path, file.text, document, problems)
