"""Maps out of dual-write's files into ours, and back.

Owns: which maps of several files are meant, where they are written, and that nothing is
overwritten unasked.
Never does: reading a form or judging a row (`connector/mapping/moving/`).
Tested in: tests/unit/cli/test_maps_moving.py.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from connector.endpoints.base import Endpoint
from connector.errors import MapError, Problem, Subject, UsageError
from connector.mapping.document import MapDocument
from connector.mapping.moving.build import ImportedMap, Wishes, build
from connector.mapping.moving.choosing import distinct, newest
from connector.mapping.moving.draft import slug
from connector.mapping.moving.export import ExportedMap, export_map
from connector.mapping.moving.files import read_file
from connector.mapping.moving.knowledge import COMPANY
from connector.mapping.moving.known import KnownEntity, folded, known_entity
from connector.mapping.moving.template import Template
from connector.mapping.tables.wanted import read_definitions


@dataclass(frozen=True, slots=True)
class Import:
    """The maps of some files, and versions of them that were left behind."""

    maps: Sequence[ImportedMap]
    left: Sequence[Problem]

    @property
    def complete(self) -> bool:
        """Whether everything was carried over."""
        return all(one.complete for one in self.maps)


def import_maps(
    files: Sequence[Path],
    wishes: Wishes,
    only: str | None = None,
    commerce: Endpoint | None = None,
) -> Import:
    """The maps of these files; `only` takes one, by our name, its label or its Dataverse table.

    `commerce` is asked for the spelling and the keys of its entities, where it is given.

    Raises:
        MapError: a file cannot be read.
        UsageError: `map-unknown`; `import-several` where a wish would hold for more than one map.
    """
    templates = [template for file in files for template in read_file(file)]
    if only is not None:
        templates = _named(templates, only)
    templates, left = newest(templates)
    if len(templates) > 1 and wishes != Wishes():
        raise UsageError(
            "import-several",
            f"--key and --…-entity are about one map, and these files hold {len(templates)}",
            remedy=f"choose one with --map: {', '.join(_names(templates)[:20])}",
        )
    ask = partial(_told, commerce)
    made = [build(template, wishes, ask=ask) for template in templates]
    names = distinct([one.name for one in made], templates)
    return Import(
        [
            one if one.name == name else build(one.template, wishes, name, ask)
            for one, name in zip(made, names, strict=True)
        ],
        left,
    )


def _told(commerce: Endpoint | None, name: str, known: KnownEntity | None) -> KnownEntity | None:
    """What a live system says of an entity; what is known beside it where it has no such entity."""
    if commerce is None:
        return known
    try:
        entity = commerce.describe(name)
    except MapError:
        return known
    columns = entity.columns.values()
    own = tuple(c for key in entity.keys[:1] for c in key.columns if folded(c) != folded(COMPANY))
    return replace(
        known or KnownEntity(entity.name, name, keys=own),
        columns=tuple(column.name for column in columns),
        symbols={
            column.name: tuple(str(symbol) for symbol in column.choices)
            for column in columns
            if column.choices
        },
        company=any(folded(column.name) == folded(COMPANY) for column in columns),
    )


def write_maps(maps: Sequence[ImportedMap], folder: Path, *, force: bool) -> dict[str, Path]:
    """A file for each map that is one, by name.

    Raises:
        UsageError: `file-exists`, before anything was written; `folder-unwritable`.
    """
    texts = {folder / f"{one.name}.yaml": one for one in maps if one.yaml is not None}
    taken = [str(path) for path in texts if path.exists()]
    if taken and not force:
        raise UsageError(
            "file-exists",
            f"{', '.join(taken)} would be overwritten",
            subject=Subject(file=str(folder)),
            remedy="choose another folder, or overwrite with --force",
        )
    for path, one in texts.items():
        _write(path, one.yaml or "")
    return {one.name: path for path, one in texts.items()}


def exported(document: MapDocument, maps: Path, *, plain: bool) -> ExportedMap:
    """The JSON of one map; lookups name the tables that `mappings/tables/` knows."""
    definition = read_definitions(maps).get(document.dataverse.entity)
    targets = {
        column.column.casefold(): column.target
        for column in (definition.columns if definition is not None else ())
        if column.target is not None
    }
    return export_map(document, targets, plain=plain)


def write_export(one: ExportedMap, path: Path, *, force: bool) -> None:
    """The JSON as a file; raises `UsageError` as `write_maps` does."""
    if path.exists() and not force:
        raise UsageError(
            "file-exists",
            f"{path} would be overwritten",
            subject=Subject(file=str(path)),
            remedy="choose another name, or overwrite with --force",
        )
    _write(path, json.dumps(one.data, ensure_ascii=False, indent=2) + "\n")


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(
            "folder-unwritable",
            "the file cannot be written",
            subject=Subject(file=str(error.filename or path)),
            cause=error.strerror,
            remedy="choose a folder this user may write to",
        ) from error


def _names(templates: Sequence[Template]) -> list[str]:
    return sorted({slug(_label(template)) for template in templates})


def _label(template: Template) -> str:
    known = known_entity(template.commerce)
    return known.label if known is not None else template.commerce


def _named(templates: Sequence[Template], name: str) -> list[Template]:
    """Those a person may mean by a name."""
    wanted = name.casefold()
    found = [
        template
        for template in templates
        if wanted
        in (slug(_label(template)), template.commerce.casefold(), template.dataverse.casefold())
    ]
    if not found:
        raise UsageError(
            "map-unknown",
            f"there is no map `{name}` in these files",
            remedy=f"choose one of {', '.join(_names(templates)[:20])}",
        )
    return found
