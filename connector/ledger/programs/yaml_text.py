"""A program's YAML as plain data, and the line every part of it stands at.

Owns: reading one text; what YAML offers and a program must not have.
Never does: knowing what the data means (`document.py`).
Tested in: tests/unit/ledger/programs/test_wrong_documents.py.

Only true and false are booleans, only plain decimals are numbers, and those are exact. A day, `no`
and 052 are texts: the first is read where a day is meant, the last is the number of a store.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeAlias

import yaml

from connector.errors import ConfigError, Subject
from connector.ledger.fields import UNSTORABLE_IN_LINES

Place: TypeAlias = tuple[str | int, ...]

_DEEPEST = 12
_MOST = 50_000
"""Parts of one text; aliases of aliases can make more of them than any memory holds."""
_LONGEST = 4_000_000
"""Characters of one text."""


class _Loader(yaml.SafeLoader):
    """Makes nodes; `_Reader` makes them data."""


_Loader.yaml_implicit_resolvers = {}
_WHOLE = r"[-+]?(?:0|[1-9][0-9]{0,30})"
for _tag, _pattern, _first in (
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("int", _WHOLE, list("-+0123456789")),
    ("float", _WHOLE + r"\.[0-9]{1,30}", list("-+0123456789")),
):
    _Loader.add_implicit_resolver(
        f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_pattern})$"), _first
    )


@dataclass(frozen=True, slots=True)
class YamlText:
    """The data of one text; `marks` has line and column of its parts, counted from 1."""

    path: str
    data: Any
    marks: Mapping[Place, tuple[int, int]]
    text: str = ""
    """All of it, as it was written."""

    def subject(self, *parts: str | int) -> Subject:
        """The place of a part, or of the nearest part around it that has one."""
        for end in range(len(parts), -1, -1):
            if parts[:end] in self.marks:
                line, column = self.marks[parts[:end]]
                return Subject(file=self.path, line=line, column=column)
        return Subject(file=self.path, line=1, column=1)


def read_yaml(text: str, path: str) -> YamlText:
    """The data of a text; `path` is named in errors only.

    Raises ConfigError with the place: `yaml-broken`, `yaml-duplicate-key`, `yaml-too-deep`,
    `yaml-too-large`.
    """
    if len(text) > _LONGEST:
        raise _error("yaml-too-large", "the file is too large", "split it up", path)
    try:
        reader = _Reader(path)
        node = yaml.compose(text, _Loader)
        data = None if node is None else reader.part(node, ())
        return YamlText(path, data, reader.marks, text)
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise ConfigError(
            "yaml-broken",
            "the file holds a character that YAML does not allow",
            subject=Subject(file=path, line=line),
            remedy="remove the control character",
        ) from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise _error(
            "yaml-broken",
            "the file is not well-formed YAML",
            "correct the text at this place; indentation, tabs and quotes are the usual causes",
            path,
            mark,
            error.problem or "",
        ) from error
    except RecursionError:
        raise _too_deep(path, None) from None


class _Reader:
    """Turns nodes into data and notes where they stand."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.marks: dict[Place, tuple[int, int]] = {}

    def part(self, node: yaml.Node, at: Place) -> Any:
        """The data of one node."""
        self.marks.setdefault(at, (node.start_mark.line + 1, node.start_mark.column + 1))
        if len(at) > _DEEPEST:
            raise _too_deep(self.path, node.start_mark)
        if len(self.marks) > _MOST:
            raise _error(
                "yaml-too-large",
                f"the file has more than {_MOST} parts",
                "write one document per file, and no aliases of aliases",
                self.path,
                node.start_mark,
            )
        if isinstance(node, yaml.MappingNode) and node.tag.endswith(":map"):
            return self._block(node, at)
        if isinstance(node, yaml.SequenceNode) and node.tag.endswith(":seq"):
            return [self.part(item, (*at, index)) for index, item in enumerate(node.value)]
        value = str(node.value)
        match node.tag.removeprefix("tag:yaml.org,2002:"):
            case "null" if not value or _is("null", value):
                return None
            case "bool" if _is("bool", value):
                return value.lower() == "true"
            case "int" if _is("int", value):
                return int(value)
            case "float" if _is("float", value):
                return Decimal(value)
            case "str" if isinstance(node, yaml.ScalarNode):
                return self._text(value, node.start_mark)
        raise _error(
            "yaml-broken",
            f"the tag {node.tag} means nothing here",
            "leave out the word that begins with `!`",
            self.path,
            node.start_mark,
        )

    def _text(self, value: str, mark: yaml.Mark) -> str:
        """A text as it is; one in quotes can spell what no database keeps."""
        if UNSTORABLE_IN_LINES.search(value):
            raise _error(
                "yaml-broken",
                "the text holds a control character or a broken character",
                "leave out what its backslash spells",
                self.path,
                mark,
            )
        return value

    def _block(self, node: yaml.MappingNode, at: Place) -> dict[str, Any]:
        block: dict[str, Any] = {}
        for key_node, value_node in node.value:
            mark, key = key_node.start_mark, str(key_node.value)
            if not isinstance(key_node, yaml.ScalarNode):
                raise _error(
                    "yaml-broken", "a key is a plain word", "write `KEY: VALUE`", self.path, mark
                )
            if key in block:
                raise _error(
                    "yaml-duplicate-key",
                    f"`{key}` stands twice in the same block",
                    "keep one of the two",
                    self.path,
                    mark,
                )
            self.marks[*at, key] = (mark.line + 1, mark.column + 1)
            block[key] = self.part(value_node, (*at, key))
        return block


def _is(kind: str, value: str) -> bool:
    """Whether a plain word would be read as this kind; a tag alone does not make it one."""
    tag = f"tag:yaml.org,2002:{kind}"
    resolvers = _Loader.yaml_implicit_resolvers.get(value[:1], [])
    return any(found == tag and pattern.match(value) for found, pattern in resolvers)


def _too_deep(path: str, mark: yaml.Mark | None) -> ConfigError:
    return _error(
        "yaml-too-deep",
        f"the file nests deeper than {_DEEPEST} levels",
        "remove the nesting, or the alias that refers to itself",
        path,
        mark,
    )


def _error(
    code: str,
    message: str,
    remedy: str,
    path: str,
    mark: yaml.Mark | None = None,
    cause: str = "",
) -> ConfigError:
    place = Subject(file=path)
    if mark is not None:
        place = Subject(file=path, line=mark.line + 1, column=mark.column + 1)
    return ConfigError(code, message, subject=place, remedy=remedy, cause=cause or None)
