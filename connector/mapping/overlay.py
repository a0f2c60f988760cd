"""What one environment changes about a map without copying it.

Owns: the document model of an overlay, reading the overlays of an environment, and laying one over
its map; what is wrong then is said of the overlay's file and line.
Never does: choosing the environment, the config does; changing what is mapped to what.
Tested in: tests/unit/mapping/test_overlay.py.

`overlays/ENVIRONMENT/MAP.yaml` below the folder of the maps.
"""

from __future__ import annotations

import copy
import difflib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from connector.errors import MapError, Subject
from connector.mapping.document import (
    DeletePolicy,
    FilterExit,
    Inactive,
    MapDocument,
    Overlaid,
    OverlaidPart,
    Owner,
    Policy,
    Symbol,
    read_all,
)
from connector.mapping.findings import map_error
from connector.mapping.values import Side
from connector.mapping.yaml_file import Place, YamlFile, read_yaml

FOLDER = "overlays"
"""Below the folder of the maps."""


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class EndOverlay(_Model):
    """What may differ about one end; null takes away what the map says."""

    side: str | None = Field(None, description="Name of the side, where there is more than one.")
    inactive: Inactive | None = None
    filter: str | None = Field(None, min_length=1, description="OData condition.")


class DataverseOverlay(EndOverlay):
    """The same about the Dataverse end."""

    owner: Owner | None = Field(None, description="Who owns the rows the map creates here.")


class DeletesOverlay(_Model):
    """By the side where the delete happened; the other side's policy stays."""

    commerce: DeletePolicy | None = None
    dataverse: DeletePolicy | None = None


class FieldOverlay(_Model):
    """What may differ about one row."""

    sync: Symbol | None = None
    conflict: Policy | None = None


class MapOverlay(_Model):
    """One overlay file: only what differs in this environment."""

    enabled: bool | None = Field(None, description="Whether the map is worked at all.")
    master: Side | None = None
    conflict: Policy | None = None
    deletes: DeletesOverlay | None = None
    filter_exit: FilterExit | None = None
    blank_wins: bool | None = None
    delete_guard: bool | None = None
    commerce: EndOverlay | None = None
    dataverse: DataverseOverlay | None = None
    fields: dict[str, FieldOverlay] | None = Field(
        None, description="By the name of the row: its commerce column, else its Dataverse column."
    )


_KNOWN_KEYS = sorted(
    {
        name
        for model in (MapOverlay, DataverseOverlay, DeletesOverlay, FieldOverlay)
        for name in model.model_fields
    }
)

_EXAMPLES = {
    "deletes": "deletes: {dataverse: ignore}",
    "commerce": "commerce: {filter: CONDITION}",
    "dataverse": "dataverse: {filter: CONDITION}",
    "inactive": "inactive: {column: NAME, value: VALUE}",
    "owner": "owner: {team: NAME}",
    "company": "company: default",
    "companies": "companies: {CODE: {team: NAME}}",
    "fields": 'fields: {NAME: {sync: ">>"}}',
}


_OF_THE_MAP = (
    "remove it, or write it into the map itself: an overlay changes directions, policies, filters, "
    "owners and whether the map is on; docs/maps.md#overlays lists all of it"
)


def read_maps(folder: Path, environment: str | None = None) -> list[MapDocument]:
    """All maps of a folder by name, as they are in an environment.

    Raises `MapError`: what `read_documents` and a map file raise, and `overlay-map-unknown`,
    `overlay-field-unknown`, `overlay-environment-unknown`.
    """
    documents, wrong = read_all_maps(folder, environment)
    if wrong:
        raise wrong[0]
    return documents


def read_all_maps(
    folder: Path, environment: str | None = None
) -> tuple[list[MapDocument], list[MapError]]:
    """The maps that can be read as they are in an environment, and what is wrong with others."""
    documents, wrong = read_all(folder)
    if environment is None:
        return documents, wrong
    try:
        files = _files(folder, environment)
    except MapError as error:
        return documents, [*wrong, error]
    names = [document.map for document in documents]
    if not wrong:  # a file that cannot be read may be the map that is meant
        wrong = [_map_unknown(path, names) for name, path in files.items() if name not in names]
    made: list[MapDocument] = []
    for document in documents:
        try:
            file = files.get(document.map)
            made.append(
                document if file is None else laid_over(document, read_yaml(file), environment)
            )
        except MapError as error:
            wrong.append(error)
    return made, wrong


def _map_unknown(path: Path, names: list[str]) -> MapError:
    near = difflib.get_close_matches(path.stem, names, n=1)
    return MapError(
        "overlay-map-unknown",
        f"there is no map `{path.stem}` for this overlay",
        subject=Subject(file=str(path)),
        remedy=f"rename the file to {near[0]}.yaml"
        if near
        else f"name the file after one of {', '.join(names)}",
    )


def laid_over(document: MapDocument, file: YamlFile, environment: str) -> MapDocument:
    """The map with what the overlay in `file` changes; raises `MapError` as `read_maps` does."""
    written = file.data if file.data is not None else {}
    try:
        overlay = MapOverlay.model_validate(written)
    except ValidationError as error:
        named = _named(file, document, written)
        raise map_error(named, error, _KNOWN_KEYS, _EXAMPLES, _OF_THE_MAP) from None
    merged = copy.deepcopy(document.file.data)
    marks: dict[Place, tuple[int, int]] = {(): (1, 1)}
    over: dict[Place, tuple[str, int, int]] = {}
    parts: list[OverlaidPart] = []
    for at, place in _parts(overlay, document, file):
        value = _at(written, at)
        parts.append(
            OverlaidPart(".".join(str(part) for part in at), value, _set(merged, place, value))
        )
        for end in range(1, len(place)):
            marks[place[:end]] = file.marks.get(at[:end], (1, 1))
        below = {(*place, *m[len(at) :]): file.marks[m] for m in file.marks if m[: len(at)] == at}
        marks.update(below)
        over.update({spot: (file.path, *mark) for spot, mark in below.items()})
    try:
        made = MapDocument.model_validate(merged)
    except ValidationError as error:
        # The map alone is sound, so whatever is wrong now the overlay has brought.
        raise map_error(YamlFile(file.path, merged, marks), error, _KNOWN_KEYS, _EXAMPLES) from None
    base = document.file
    overlaid = Overlaid(environment, file.path, tuple(parts))
    return made.placed(YamlFile(base.path, merged, base.marks, over), overlaid)


def _files(folder: Path, environment: str) -> Mapping[str, Path]:
    """The overlays of an environment by the name of the map."""
    overlays = folder / FOLDER
    chosen = overlays / environment
    if not chosen.is_dir():
        known = sorted(path.name for path in overlays.glob("*") if path.is_dir())
        near = difflib.get_close_matches(environment, known, n=1)
        raise MapError(
            "overlay-environment-unknown",
            f"there are no overlays for the environment `{environment}`",
            subject=Subject(file=str(chosen)),
            remedy=f"set `maps.environment` to `{near[0]}`"
            if near
            else f"make this folder, or set `maps.environment` to one of {', '.join(known) or '-'}",
        )
    return {path.stem: path for path in sorted([*chosen.glob("*.yaml"), *chosen.glob("*.yml")])}


def _parts(
    overlay: MapOverlay, document: MapDocument, file: YamlFile
) -> Iterator[tuple[Place, Place]]:
    """What the overlay sets: its place there, and its place in the map."""
    for name in ("enabled", "master", "conflict", "filter_exit", "blank_wins", "delete_guard"):
        if name in overlay.model_fields_set:
            yield (name,), (name,)
    for name in ("deletes", "commerce", "dataverse"):
        block: _Model | None = getattr(overlay, name)
        for key in sorted(block.model_fields_set) if block is not None else ():
            yield (name, key), (name, key)
    indexes = {row.name: index for index, row in enumerate(document.fields)}
    for name, row in (overlay.fields or {}).items():
        if name not in indexes:
            near = difflib.get_close_matches(name, indexes, n=1)
            raise MapError(
                "overlay-field-unknown",
                f"map `{document.map}` has no row `{name}`",
                subject=file.subject("fields", name, map=document.map),
                remedy=f"write `{near[0]}`" if near else f"write one of {', '.join(indexes)}",
            )
        for key in sorted(row.model_fields_set):
            yield ("fields", name, key), ("fields", indexes[name], key)


def _named(file: YamlFile, document: MapDocument, written: object) -> YamlFile:
    """The file with the map's name in its data, which errors tell."""
    data = {"map": document.map, **written} if isinstance(written, dict) else {"map": document.map}
    return YamlFile(file.path, data, file.marks)


def _at(data: Any, place: Place) -> Any:
    for part in place:
        data = data[part]
    return data


def _set(data: Any, place: Place, value: Any) -> Any:
    """Put a value in its place; what stood there before."""
    for part in place[:-1]:
        data = data.setdefault(part, {}) if isinstance(data, dict) else data[part]
    before = data.get(place[-1])
    data[place[-1]] = value
    return before
