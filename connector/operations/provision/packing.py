"""What provisioning would make, as a solution zip for an administrator to import.

Owns: choosing what goes into the file, and what cannot.
Never does: the form of the file (`endpoints/dataverse/solution`).
Tested in: tests/acceptance/test_provision.py.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from connector.endpoints.dataverse.solution import additions, left_out, write_solution
from connector.errors import Problem, Subject, UsageError
from connector.mapping.tables.provision import MakePublisher, Step


def pack(
    steps: Sequence[Step], schema_name: Callable[[str], str], language: int, path: Path
) -> tuple[bool, list[Problem]]:
    """Whether the file was written, which it is not where a solution has nothing to carry.

    `schema_name` is asked by entity set name. The findings are steps left for somebody's hand.
    Raises `UsageError` (`solution-unwritable`).
    """
    steps = [step for step in steps if not isinstance(step, MakePublisher)]  # the file brings it
    names = {step.table.set_name: schema_name(step.table.set_name) for step in steps}
    tables = additions(steps, names)
    targets = {column.target for one in tables for column in one.columns if column.target}
    names.update({name: schema_name(name) for name in targets})
    problems = [
        Problem(
            "option-by-hand",
            f"a solution would replace `{step.column.name}` whole to {step}",
            "let `dualwrite provision` add it, or add it in Dataverse",
            Subject(side="dataverse", entity=step.table.set_name, field=step.column.name),
            "warning",
        )
        for step in left_out(steps)
    ]
    if not tables:
        return False, problems
    try:
        write_solution(path, tables, names, language)
    except OSError as error:
        raise UsageError(
            "solution-unwritable",
            f"{path} cannot be written",
            cause=error.strerror,
            remedy="name a file in a folder this user may write to",
        ) from error
    return True, problems
