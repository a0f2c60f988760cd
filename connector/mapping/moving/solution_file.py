"""Maps in a solution: the zip Power Apps exports, or its XML.

Owns: finding the rows of table `msdyn_dualwriteentitymap` in it, within bounds.
Never does: unpacking to disk; following a name in the archive to anywhere else.
Tested in: tests/unit/mapping/moving/test_solution_file.py.

No exported dual-write solution is public. Solutions carry rows of other tables (channel
definitions of Customer Service, for one) as an element named after the table with a child per
column, in `customizations.xml`. That is read here, also with attributes for columns and in files
of their own; so are a `record` of an `entity` with `field` elements (data of the configuration
migration tool), and files of JSON. A column that holds the name of a file of the archive stands
for its text.
"""

from __future__ import annotations

import json
import zipfile
import zlib
from collections.abc import Mapping
from io import BytesIO
from pathlib import PurePosixPath
from typing import NoReturn
from xml.parsers import expat

from connector.errors import MapError, Subject
from connector.mapping.moving.json_file import read_json
from connector.mapping.moving.template import Template

TABLE = "msdyn_dualwriteentitymap"
MOST_ENTRIES = 5_000
MOST_BYTES = 64 * 1024 * 1024
"""Of all entries together, unpacked."""
MOST_BYTES_OF_ONE = 16 * 1024 * 1024

_MARKS = (b"msdyn_dualwriteentitymap", b"fieldMappings")
"""One of them stands in every entry that holds a map."""


def read_solution(content: bytes, file: str) -> list[Template]:
    """Every map of a solution; raises `MapError`: `import-broken`, `import-too-large`."""
    entries = _entries(content, file)
    found: list[Template] = []
    for name, entry in entries.items():
        place = f"{file}!{name}"
        if not any(mark.lower() in entry.lower() for mark in _MARKS):
            continue
        if name.casefold().endswith(".xml"):
            found += read_xml(entry, place, entries)
        elif name.casefold().endswith(".json"):
            found += read_json(_utf8(entry, place), place)
    return found


def read_xml(
    content: bytes, file: str, entries: Mapping[str, bytes] | None = None
) -> list[Template]:
    """Every map of one XML file; raises `MapError`: `import-broken`."""
    rows = _Rows(file)
    rows.read(content)
    for row in rows.found:
        mapping = row.get("msdyn_mapping", "").strip()
        named = (entries or {}).get(mapping.lstrip("/"))
        if named is not None:
            row["msdyn_mapping"] = _utf8(named, f"{file}/{mapping}")
    # A row in XML is read like the same row in JSON.
    return read_json(json.dumps(rows.found), file) if rows.found else []


def _entries(content: bytes, file: str) -> dict[str, bytes]:
    """XML and JSON entries of an archive by name, unpacked within the bounds."""
    entries: dict[str, bytes] = {}
    total = 0
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            listed = archive.infolist()
            if len(listed) > MOST_ENTRIES:
                _too_large(file, f"{len(listed)} entries; read are up to {MOST_ENTRIES}")
            for info in listed:
                path = PurePosixPath(info.filename.replace("\\", "/"))
                if path.is_absolute() or ".." in path.parts or ":" in info.filename:
                    _broken(file, f"the entry {info.filename[:100]!r} leaves the archive")
                if path.suffix.casefold() not in (".xml", ".json"):
                    continue
                # The size an archive states may be a lie: no more than the bound is unpacked.
                with archive.open(info) as stream:
                    entry = stream.read(MOST_BYTES_OF_ONE + 1)
                total += len(entry)
                if len(entry) > MOST_BYTES_OF_ONE or total > MOST_BYTES:
                    _too_large(file, f"more than {MOST_BYTES // 2**20} MB in it")
                entries[str(path)] = entry
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError) as error:
        _broken(file, str(error), error)
    except (RuntimeError, NotImplementedError) as error:
        # Encrypted, or packed by a method Python does not know.
        _broken(file, str(error), error)
    return entries


class _Rows:
    """Reads the rows of the table out of one XML file."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.found: list[dict[str, str]] = []
        self._row: dict[str, str] | None = None
        self._depth = 0
        self._row_depth = 0
        self._entity = ""
        self._column = ""
        self._text: list[str] = []

    def read(self, content: bytes) -> None:
        parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = self._doctype
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text.append
        try:
            parser.Parse(content, True)
        except (expat.ExpatError, ValueError, LookupError) as error:
            _broken(self.file, str(error), error)

    def _doctype(self, *_declaration: object) -> None:
        _broken(self.file, "a document type is declared; a solution has none")

    def _start(self, element: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        name = element.rpartition(":")[2].casefold()
        given = {key.casefold(): value for key, value in attributes.items()}
        if self._row is None:
            if name == "entity":
                self._entity = given.get("name", "").casefold()
            if name == TABLE or (name == "record" and self._entity == TABLE):
                self._row, self._row_depth = given, self._depth
            return
        if self._depth == self._row_depth + 1:
            self._column = given.get("name", "").casefold() if name == "field" else name
            if "value" in given:
                self._row[self._column] = given["value"]
            self._text.clear()

    def _end(self, _element: str) -> None:
        if self._row is not None:
            if self._depth == self._row_depth + 1:
                text = "".join(self._text).strip()
                if text:
                    self._row.setdefault(self._column, text)
            elif self._depth == self._row_depth:
                if "msdyn_mapping" in self._row:
                    self.found.append(self._row)
                self._row = None
        self._depth -= 1


def _utf8(content: bytes, file: str) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        _broken(file, str(error), error)


def _broken(file: str, cause: str, error: Exception | None = None) -> NoReturn:
    raise MapError(
        "import-broken",
        "the file cannot be taken apart",
        subject=Subject(file=file),
        cause=cause[:300],
        remedy="export it again; nothing was written",
    ) from error


def _too_large(file: str, cause: str) -> NoReturn:
    raise MapError(
        "import-too-large",
        "the file is larger than any map",
        subject=Subject(file=file),
        cause=cause,
        remedy="export a solution that holds the dual-write maps only",
    )
