"""Files a map of dual-write may lie in.

Owns: bounds, encodings, and which reader a file is for, by its content.
Never does: writing; reading more of a file than `MOST_BYTES`.
Tested in: tests/unit/mapping/moving/test_files.py.
"""

from __future__ import annotations

from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from pathlib import Path

from connector.errors import MapError, Subject
from connector.mapping.moving.json_file import read_json
from connector.mapping.moving.markdown_file import read_markdown
from connector.mapping.moving.solution_file import read_solution, read_xml
from connector.mapping.moving.template import Template

MOST_BYTES = 32 * 1024 * 1024
MOST_MAPS = 5_000
MOST_ROWS = 2_000
"""Of one map."""
_ZIP = b"PK\x03\x04"


def read_file(path: Path) -> list[Template]:
    """Every map of a file: JSON, a solution (zip or XML), or Markdown.

    Raises `MapError`: `import-unreadable`, `import-too-large`, `import-broken`,
    `import-not-a-map`.
    """
    name = str(path)
    found = _read(_content(path), name)
    if not found:
        raise MapError(
            "import-not-a-map",
            "no dual-write map was found in the file",
            subject=Subject(file=name),
            remedy="give the JSON of a map, a solution with dual-write maps, or a Markdown page "
            "with a table of columns; docs/from-dual-write.md shows each",
        )
    longest = max(len(template.rows) for template in found)
    if len(found) > MOST_MAPS or longest > MOST_ROWS:
        raise _too_large(
            path,
            f"{len(found)} maps, the longest of {longest} rows; read are up to {MOST_MAPS} of "
            f"{MOST_ROWS}",
        )
    return found


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            content = stream.read(MOST_BYTES + 1)
    except OSError as error:
        raise _unreadable(path, error.strerror or str(error)) from error
    if len(content) > MOST_BYTES:
        raise _too_large(path, f"more than {MOST_BYTES // 2**20} MB")
    return content


def _read(content: bytes, name: str) -> list[Template]:
    if content.startswith(_ZIP):
        return read_solution(content, name)
    text = _text(content, name)
    start = text.lstrip()[:1]
    if start in ("{", "["):
        return read_json(text, name)
    if start == "<" and text.lstrip()[1:2] in ("?", "I", "e", "m", "M", "E"):
        return read_xml(content, name)
    return read_markdown(text, name)


def _text(content: bytes, name: str) -> str:
    """UTF-8, or UTF-16 with its mark, as PowerShell likes to write."""
    marked = content.startswith((BOM_UTF16_LE, BOM_UTF16_BE))
    try:
        text = content.decode("utf-16" if marked else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise _unreadable(Path(name), str(error)) from error
    if "\0" in text:
        raise _unreadable(Path(name), "it is no text")
    return text


def _too_large(path: Path, cause: str) -> MapError:
    return MapError(
        "import-too-large",
        "the file is larger than any map",
        subject=Subject(file=str(path)),
        cause=cause,
        remedy="give the file of the map alone",
    )


def _unreadable(path: Path, cause: str) -> MapError:
    return MapError(
        "import-unreadable",
        "the file cannot be read as text",
        subject=Subject(file=str(path)),
        cause=cause,
        remedy="check the path, its permissions and its encoding (UTF-8, or UTF-16 with its mark)",
    )
