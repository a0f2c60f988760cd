"""A data package: the changed keys of one entity, read from a zip on disk.

Owns: opening the zip, its bounds, choosing the entity's data file, values as canonical ones.
Never does: fetching a package (`download.py`); believing its sizes.
Tested in: tests/unit/endpoints/finops/exports/test_package.py.

Only keys are taken: an export has no ETag, without which nothing can be written safely, and its
spelling of dates and numbers follows the settings of a user. The rows are read by key afterwards.

Facts: "Data management: data management package REST API" (a zip of a manifest, a header and a
data file per entity).
"""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from connector.endpoints.finops.exports.datafile import ColumnsMissing, Texts, csv_rows, xml_rows
from connector.endpoints.finops.exports.faults import broken, misfit
from connector.endpoints.finops.exports.manifest import LARGEST, MANIFEST, Listed, read_manifest
from connector.errors import DualWriteError
from connector.mapping.columns import Column
from connector.mapping.values import Value, ValueType

MEMBERS = 1_000
"""Files of a package at most."""
UNPACKED = 16 * 1024**3
"""Bytes of a data file at most."""
ROW = 16 * 1024**2
"""Bytes of one row at most; what is more is no row but an attack."""
COMPANY = "dataAreaId"
"""The company is no field of a data file: a job exports one company."""

KEY_TYPES = (ValueType.TEXT, ValueType.CHOICE, ValueType.INTEGER)
"""What a data file spells in one way only."""

_UNREADABLE = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    OSError,
    NotImplementedError,
    RuntimeError,
    ValueError,
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Whose keys are read, and under which project they were exported."""

    project: str
    entity: str
    """Its entity set."""
    type_name: str
    """Its entity type."""
    key: tuple[Column, ...]
    company: str | None = None

    @property
    def exported(self) -> tuple[Column, ...]:
        """The key columns a data file has."""
        return tuple(one for one in self.key if one.name != COMPANY)


def keys_of(path: Path, wanted: Wanted) -> Iterator[Mapping[str, Value]]:
    """The key values of each row of the entity's data file, as a stream.

    Raises `MapError` (`export-project-misfit`) for a package without the entity or its key, and
    `UnreachableError` (`package-broken`) for one that is torn, too large or not as described.
    """
    try:
        with path.open("rb") as file, zipfile.ZipFile(file) as package:
            yield from _keys(package, wanted)
    except DualWriteError:
        raise
    except _UNREADABLE as error:
        raise broken("the package cannot be read", f"{type(error).__name__}: {error}") from error


def _keys(package: zipfile.ZipFile, wanted: Wanted) -> Iterator[Mapping[str, Value]]:
    members = {one.filename.casefold(): one for one in package.infolist()}
    if len(package.infolist()) > MEMBERS:
        raise broken(f"the package has {len(package.infolist())} files")
    listed = _chosen(_manifest(package, members), wanted)
    member = members.get(listed.file.casefold())
    if member is None:
        raise broken(f"the package lacks {listed.file}, which its manifest names")
    exported = wanted.exported
    names = [listed.columns.get(one.name.upper(), one.name) for one in exported]
    rows = _Rows(package, member)
    same: dict[str, Value] = {} if len(exported) == len(wanted.key) else {COMPANY: _company(wanted)}
    try:
        for texts in rows.of(names):
            rows.next()
            yield same | {
                one.name: _value(one, text) for one, text in zip(exported, texts, strict=True)
            }
    except ColumnsMissing as missing:
        what = f"{listed.file} of {listed.label} lacks {missing}"
        raise misfit(wanted.project, wanted.entity, what) from missing


def _manifest(package: zipfile.ZipFile, members: Mapping[str, zipfile.ZipInfo]) -> list[Listed]:
    member = members.get(MANIFEST.casefold())
    if member is None:
        raise broken(f"the package lacks {MANIFEST}")
    with package.open(member) as file:
        data = file.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise broken(f"the manifest of the package has more than {LARGEST} bytes")
    return read_manifest(data)


def _chosen(all: Sequence[Listed], wanted: Wanted) -> Listed:
    """The entity by its name, or the only one of the package: labels are translated."""
    named = [one for one in all if one.called(wanted.entity) or one.called(wanted.type_name)]
    found = named or all
    if len(found) != 1:
        there = ", ".join(one.label for one in all) or "none"
        raise misfit(wanted.project, wanted.entity, f"its package holds the entities {there}")
    fields = found[0].columns.keys()
    lacking = [one.name for one in wanted.exported if fields and one.name.upper() not in fields]
    if lacking:
        what = f"its package holds {found[0].label} without {', '.join(lacking)}"
        raise misfit(wanted.project, wanted.entity, what)
    return found[0]


def _company(wanted: Wanted) -> str:
    if wanted.company is None:
        what = f"{wanted.entity} has rows of each company, a job exports one: set `company`"
        raise misfit(wanted.project, wanted.entity, what)
    return wanted.company


def _value(column: Column, text: str) -> Value:
    """The canonical value of a key text."""
    if column.type is ValueType.INTEGER:
        return int(text)
    if column.type in KEY_TYPES:
        return text
    raise broken(f"{column.name} is of type {column.type}, which data files spell in many ways")


class _Rows:
    """The data file of one entity; bounded as a whole and by row."""

    def __init__(self, package: zipfile.ZipFile, member: zipfile.ZipInfo) -> None:
        self._package = package
        self._member = member
        self._files: list[_Metered] = []

    def of(self, names: Sequence[str]) -> Iterator[Texts]:
        """The rows, in the form the name of the file says."""
        suffix = Path(self._member.filename).suffix.lower()
        if suffix == ".xml":
            return xml_rows(self._open, names)
        if suffix in (".csv", ".txt"):
            return csv_rows(self._open(), names)
        raise broken(f"a data file of the kind {suffix or self._member.filename} is not read here")

    def next(self) -> None:
        """A row was read whole."""
        self._files[-1].row = 0

    def _open(self) -> IO[bytes]:
        raw = _Metered(self._package.open(self._member))
        self._files.append(raw)
        return io.BufferedReader(raw, 1 << 18)  # type: ignore[type-var]


class _Metered(io.RawIOBase):
    """A stream that counts what comes out of the zip, whatever its directory says."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.row = 0
        """Bytes since the last row."""
        self._whole = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self._file.seek(offset, whence)

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
        data = self._file.read(len(buffer))
        buffer[: len(data)] = data
        self.row += len(data)
        self._whole += len(data)
        if self.row > ROW + len(buffer):
            raise broken(f"a row of the data file has more than {ROW} bytes")
        if self._whole > UNPACKED:
            raise broken(f"the data file has more than {UNPACKED} bytes")
        return len(data)

    def close(self) -> None:
        self._file.close()
        super().close()
