"""What the options of a command name: maps and sides.

Owns: turning names into maps and sides, with a clear error.
Never does: anything with them.
Tested in: tests/acceptance/test_bad_input.py, tests/acceptance/test_maps_off.py.
"""

from __future__ import annotations

from collections.abc import Sequence

from connector.books import Books
from connector.errors import (
    Subject,
    UsageError,
)
from connector.mapping.document import MapDocument
from connector.mapping.values import Side


def named(documents: Sequence[MapDocument], name: str) -> MapDocument:
    """The map of this name; raises `UsageError` (`map-unknown`)."""
    for document in documents:
        if document.map == name:
            return document
    raise UsageError(
        "map-unknown",
        f"there is no map `{name}`",
        subject=Subject(map=name),
        remedy=f"choose one of {', '.join(document.map for document in documents)}",
    )


def chosen(project: Books, name: str | None) -> list[MapDocument]:
    """The named map, or all that are on; raises `UsageError` (`map-unknown`, `map-off`)."""
    documents = list(project.documents.values())
    off = project.off.get(name) if name is not None else None
    if off is None and not documents:
        off = next(iter(project.off.values()))
    if off is not None:
        file = off.overlaid.file if off.overlaid is not None else off.file.path
        raise UsageError(
            "map-off",
            f"the map `{off.map}` is off" if name is not None else "all maps are off",
            subject=off.file.subject("enabled", map=off.map),
            remedy=f"write `enabled: true` in {file}, then `dualwrite check`",
        )
    return documents if name is None else [named(documents, name)]


def master_side(name: str | None) -> Side | None:
    """The side an option names, if it does; raises `UsageError` (`side-unknown`)."""
    return None if name is None else named_side(name)


def named_side(name: str) -> Side:
    """The side of this name; raises `UsageError` (`side-unknown`)."""
    try:
        return Side(name)
    except ValueError as error:
        raise UsageError(
            "side-unknown", f"there is no side `{name}`", remedy="write commerce or dataverse"
        ) from error
