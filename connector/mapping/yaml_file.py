"""YAML with places: plain data, and the line and column every part of it stands at.

Owns: reading one YAML file into data and marks.
Never does: knowing what the data means.
Tested in: tests/unit/mapping/test_yaml_file.py.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import yaml

from connector.errors import MapError, Subject

Place: TypeAlias = tuple[str | int, ...]


class _Loader(yaml.SafeLoader):
    """Safe YAML in which only true and false are booleans, and only plain decimals numbers.

    YAML 1.1 also reads Yes, No, On and Off as booleans, bare dates as dates, 052 as 42, 1:30 as
    90, and `=` and `<<` as operators of its own. Here Yes and No are symbols of commerce, 052
    is the number of a store, and the others are ours.
    """


_Loader.yaml_implicit_resolvers = {}
_WHOLE = r"[-+]?(?:0|[1-9][0-9]*)"
for _tag, _pattern, _first in (
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("int", _WHOLE, list("-+0123456789")),
    ("float", _WHOLE + r"\.[0-9]+(?:[eE][-+]?[0-9]+)?", list("-+0123456789")),
):
    _Loader.add_implicit_resolver(
        f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_pattern})$"), _first
    )

_PLAIN = frozenset({"tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"})
_DEEPEST = 20
_MOST = 50_000
"""Parts of one file; aliases of aliases can make more of them than any memory holds."""

_HINTS = (
    ("cannot start any token", "put a text that begins with this sign into quotes"),
    (r"'\t'", "indent with blanks, not with a tab"),
    (
        "mapping values are not allowed",
        "put a text with `: ` in it into quotes, or mend the indent",
    ),
    ("stream end", "close the bracket or quote that is still open"),
    ("another document", "write one map per file, without a line `---` between two"),
    ("undefined alias", "write what is meant instead of `*NAME`, or mark it with `&NAME` before"),
    (" tag ", "leave out the tag, the word that begins with `!`"),
)
"""What to do by what the parser says; the last that fits counts."""
_BARE_SYMBOL = re.compile(r":\s*[>|]")


@dataclass(frozen=True, slots=True)
class YamlFile:
    """Data of one file, and where each part of it stands (line and column count from 1)."""

    path: str
    data: Any
    marks: Mapping[Place, tuple[int, int]] = field(default_factory=dict)
    over: Mapping[Place, tuple[str, int, int]] = field(default_factory=dict)
    """File, line and column of the parts that were laid over this file."""

    def subject(
        self, *parts: str | int, map: str | None = None, field: str | None = None
    ) -> Subject:
        """The place of a part, or of the nearest enclosing part that has one."""
        for end in range(len(parts), -1, -1):
            laid = self.over.get(parts[:end])
            if laid is not None:
                path, line, column = laid
                return Subject(map=map, field=field, file=path, line=line, column=column)
            mark = self.marks.get(parts[:end])
            if mark is not None:
                line, column = mark
                return Subject(map=map, field=field, file=self.path, line=line, column=column)
        return Subject(map=map, field=field, file=self.path, line=1, column=1)


def read_yaml(path: Path) -> YamlFile:
    """Read one file; raises `MapError` as `parse_yaml` does, and `yaml-unreadable`."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise MapError(
            "yaml-unreadable",
            "the file cannot be read as UTF-8 text",
            subject=Subject(file=str(path)),
            cause=str(error),
            remedy="check the path, its permissions and its encoding",
        ) from error
    return parse_yaml(text, str(path))


def parse_yaml(text: str, path: str) -> YamlFile:
    """The same from a text; `path` is used in errors only.

    Raises `MapError` with the place: `yaml-broken`, `yaml-duplicate-key`, `yaml-too-deep`,
    `yaml-too-large`.
    """
    try:
        loader = _Loader(text)
    except yaml.reader.ReaderError as error:
        before = text[: error.position]
        raise MapError(
            "yaml-broken",
            "the file holds a character that YAML does not allow",
            subject=Subject(
                file=path,
                line=before.count("\n") + 1,
                column=error.position - (before.rfind("\n") + 1) + 1,
            ),
            cause=f"character {text[error.position]!a}",
            remedy="remove the control character",
        ) from error
    reading = _Reading(loader, path)
    try:
        node = loader.get_single_node()
        data = None if node is None else reading.part(node, ())
        return YamlFile(path, data, reading.marks)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark or loader.get_mark()
        lines = text.splitlines()
        line = lines[mark.line] if mark.line < len(lines) else ""
        raise _broken(path, mark, error.problem or str(error), line) from error
    except RecursionError:
        raise _too_deep(path, loader.get_mark()) from None
    finally:
        loader.dispose()


class _Reading:
    """Turns the nodes of one file into data, and notes where each part stands."""

    def __init__(self, loader: _Loader, path: str) -> None:
        self.loader = loader
        self.path = path
        self.marks: dict[Place, tuple[int, int]] = {}

    def part(self, node: yaml.Node, at: Place) -> Any:
        """The data of one node; the keys of a block are always texts."""
        self.marks.setdefault(at, (node.start_mark.line + 1, node.start_mark.column + 1))
        if len(at) > _DEEPEST:
            raise _too_deep(self.path, node.start_mark)
        if len(self.marks) > _MOST:
            raise MapError(
                "yaml-too-large",
                f"the file has more than {_MOST} parts",
                subject=_subject(self.path, node.start_mark),
                remedy="write one map per file, and no aliases of aliases",
            )
        if not isinstance(node, yaml.ScalarNode) and node.tag not in _PLAIN:
            raise _broken(self.path, node.start_mark, f"the tag {node.tag!r} means nothing here")
        if isinstance(node, yaml.MappingNode):
            return self._block(node, at)
        if isinstance(node, yaml.SequenceNode):
            return [self.part(item, (*at, index)) for index, item in enumerate(node.value)]
        try:
            return self.loader.construct_object(node)
        except (ValueError, LookupError, AttributeError) as error:
            # An explicit tag that its value does not fit, such as `!!int abc`.
            raise _broken(self.path, node.start_mark, f"{node.value!r}: {error}") from error

    def _block(self, node: yaml.MappingNode, at: Place) -> dict[str, Any]:
        block: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                raise _broken(self.path, key_node.start_mark, "a key is a plain word")
            key = str(key_node.value)
            if key in block:
                raise MapError(
                    "yaml-duplicate-key",
                    f"`{key}` stands twice in the same block",
                    subject=_subject(self.path, key_node.start_mark),
                    remedy="keep one of the two",
                )
            place = (key_node.start_mark.line + 1, key_node.start_mark.column + 1)
            self.marks[(*at, key)] = place
            block[key] = self.part(value_node, (*at, key))
        return block


def _subject(path: str, mark: yaml.Mark) -> Subject:
    return Subject(file=path, line=mark.line + 1, column=mark.column + 1)


def _broken(path: str, mark: yaml.Mark, cause: str, line: str = "") -> MapError:
    remedy = "correct the text at this place; indentation and quotes are the usual causes"
    for part, hint in _HINTS:
        if part in cause:
            remedy = hint
    if _BARE_SYMBOL.search(line):
        remedy = 'a symbol that begins with `>` is written in quotes: `sync: "><"`'
    return MapError(
        "yaml-broken",
        "the file is not well-formed YAML",
        subject=_subject(path, mark),
        cause=cause,
        remedy=remedy,
    )


def _too_deep(path: str, mark: yaml.Mark) -> MapError:
    return MapError(
        "yaml-too-deep",
        f"the file nests deeper than {_DEEPEST} levels",
        subject=_subject(path, mark),
        remedy="remove the nesting or the self-referring alias",
    )
