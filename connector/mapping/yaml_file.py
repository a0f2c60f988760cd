"""YAML with places: plain data, and the line and column every part of it stands at.

Owns: reading one YAML file into data and marks.
Never does: knowing what the data means.
Tested in: tests/unit/mapping/test_document.py.
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
    """Safe YAML in which only true and false are booleans.

    YAML 1.1 also reads Yes, No, On and Off as booleans, bare dates as dates, and `=` and `<<`
    as operators of its own; here Yes and No are symbols of commerce and the others are ours.
    """


_UNWANTED = (":bool", ":timestamp", ":value", ":merge")
_DEEPEST = 20

_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith(_UNWANTED)]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:bool", re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF")
)


@dataclass(frozen=True, slots=True)
class YamlFile:
    """Data of one file, and where each part of it stands (line and column count from 1)."""

    path: str
    data: Any
    marks: Mapping[Place, tuple[int, int]] = field(default_factory=dict)

    def subject(
        self, *parts: str | int, map: str | None = None, field: str | None = None
    ) -> Subject:
        """The place of a part, or of the nearest enclosing part that has one."""
        for end in range(len(parts), -1, -1):
            mark = self.marks.get(parts[:end])
            if mark is not None:
                line, column = mark
                return Subject(map=map, field=field, file=self.path, line=line, column=column)
        return Subject(map=map, field=field, file=self.path)


def read_yaml(path: Path) -> YamlFile:
    """Read one file; raises `MapError` (`yaml-unreadable`, `yaml-broken`) with the place."""
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
    """The same from a text; `path` is used in errors only."""
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        marks: dict[Place, tuple[int, int]] = {}
        if node is None:
            return YamlFile(path, None, marks)
        _collect(node, (), marks, path)
        return YamlFile(path, loader.construct_document(node), marks)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise MapError(
            "yaml-broken",
            "the file is not well-formed YAML",
            subject=Subject(
                file=path,
                line=mark.line + 1 if mark else None,
                column=mark.column + 1 if mark else None,
            ),
            cause=error.problem or str(error),
            remedy="correct the text at this place; indentation and quotes are the usual causes",
        ) from error
    except yaml.reader.ReaderError as error:
        raise MapError(
            "yaml-broken",
            "the file holds a character that YAML does not allow",
            subject=Subject(file=path, line=text.count("\n", 0, error.position) + 1),
            cause=f"character {error.character!r}",
            remedy="remove the control character",
        ) from error
    finally:
        loader.dispose()


def _collect(node: yaml.Node, at: Place, marks: dict[Place, tuple[int, int]], path: str) -> None:
    marks.setdefault(at, (node.start_mark.line + 1, node.start_mark.column + 1))
    if len(at) > _DEEPEST:
        raise MapError(
            "yaml-too-deep",
            f"the file nests deeper than {_DEEPEST} levels",
            subject=Subject(file=path, line=marks[at][0], column=marks[at][1]),
            remedy="remove the nesting or the self-referring alias",
        )
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key_node, value_node in node.value:
            key = str(key_node.value)
            place = (key_node.start_mark.line + 1, key_node.start_mark.column + 1)
            if key in seen:
                raise MapError(
                    "yaml-duplicate-key",
                    f"`{key}` stands twice in the same block",
                    subject=Subject(file=path, line=place[0], column=place[1]),
                    remedy="keep one of the two",
                )
            seen.add(key)
            marks[(*at, key)] = place
            _collect(value_node, (*at, key), marks, path)
    elif isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            _collect(item, (*at, index), marks, path)
