"""YAML with places: plain data, and the line and column every part of it stands at.

Owns: reading one text or file into data and marks; what YAML offers and no document may have.
Never does: knowing what the data means; choosing the error it is refused with.
Tested in: tests/unit/documents/test_yaml_places.py.

Only true and false are booleans, only plain decimals are numbers. YAML 1.1 also reads Yes, No, On
and Off as booleans, bare dates as dates, 052 as 42, 1:30 as 90, and `=` and `<<` as operators. Here
all of these are texts: Yes is a symbol of commerce, 052 the number of a store.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import yaml

from connector.errors import FatalError, Subject

Place: TypeAlias = tuple[str | int, ...]

_MOST = 50_000
"""Parts of one text; aliases of aliases can make more of them than any memory holds."""
_LONGEST = 4_000_000
"""Characters of one text."""
_TAG = "tag:yaml.org,2002:"


class _TooLarge(Exception):
    """The text has more parts than any document."""


class _Loader(yaml.SafeLoader):
    """Makes nodes, so many at most; `_Reading` makes them data."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._nodes = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        """The next node; raises `_TooLarge`."""
        self._nodes += 1
        if self._nodes > 2 * _MOST:  # a key is a node as well
            raise _TooLarge
        return super().compose_node(parent, index)


_Loader.yaml_implicit_resolvers = {}
_WHOLE = r"[-+]?(?:0|[1-9][0-9]{0,400})"
for _kind, _pattern, _first in (
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("int", _WHOLE, list("-+0123456789")),
    ("float", _WHOLE + r"\.[0-9]{1,400}(?:[eE][-+]?[0-9]{1,3})?", list("-+0123456789")),
):
    _Loader.add_implicit_resolver(_TAG + _kind, re.compile(f"^(?:{_pattern})$"), _first)

_Quick: Any = _Loader
"""Makes the same nodes of a plain text ten times as fast, where PyYAML has libyaml."""
if yaml.__with_libyaml__:
    _Quick = type("_Quick", (yaml.CSafeLoader,), {})
    _Quick.yaml_implicit_resolvers = _Loader.yaml_implicit_resolvers
_NOT_PLAIN = re.compile(
    r"[?!&*%\t\r\x85\u2028\u2029\ufeff\ud800-\udfff]|:\s+[],}]|[|>]\S*#|^.{300}", re.MULTILINE
)
"""What libyaml reads or places a little otherwise; lines that could nest deeper than its stack."""
_BRACKETS = 1000

_HINTS = (
    ("cannot start any token", "put a text that begins with this sign into quotes"),
    (r"'\t'", "indent with blanks, not with tabs"),
    (
        "mapping values are not allowed",
        "put a text with `: ` in it into quotes, or mend the indent",
    ),
    ("stream end", "close the bracket or quote that is still open"),
    ("another document", "write one {holds} per file, without a line `---` between two"),
    ("undefined alias", "write what is meant instead of `*NAME`, or mark it with `&NAME` before"),
    (" tag ", "leave out the tag, the word that begins with `!`"),
    ("a key is a plain word", "write `KEY: VALUE`"),
)
"""What to do by what the parser says; the last that fits counts."""


@dataclass(frozen=True, slots=True)
class Manner:
    """How one kind of document is read."""

    error: type[FatalError]
    """What a text that is none is refused with."""
    holds: str
    """What a file holds one of, for people."""
    deepest: int
    """Levels of nesting."""
    decimal: Callable[[str], Any]
    """Makes a number of a decimal, such as `1.50` or `1.0e+31`."""
    unfit: re.Pattern[str] | None = None
    """What no text may hold, such as characters a database does not keep."""
    hints: Sequence[tuple[re.Pattern[str], str]] = ()
    """What to do where a line looks so and is no YAML."""


@dataclass(frozen=True, slots=True)
class YamlFile:
    """Data of one file, and where each part of it stands (line and column count from 1)."""

    path: str
    data: Any
    marks: Mapping[Place, tuple[int, int]] = field(default_factory=dict)
    over: Mapping[Place, tuple[str, int, int]] = field(default_factory=dict)
    """File, line and column of the parts that were laid over this file."""
    text: str = ""
    """All of it, as it was written."""

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


def read_yaml(path: Path, manner: Manner) -> YamlFile:
    """Read one file; raises `manner.error` as `parse_yaml` does, and `yaml-unreadable`."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise manner.error(
            "yaml-unreadable",
            "there is no such file"
            if isinstance(error, FileNotFoundError)
            else "the file cannot be read as UTF-8 text",
            subject=Subject(file=str(path)),
            cause=str(error),
            remedy="check the path, its permissions and its encoding",
        ) from error
    return parse_yaml(text, str(path), manner)


def parse_yaml(text: str, path: str, manner: Manner) -> YamlFile:
    """The same from a text; `path` is used in errors only.

    Raises `manner.error` with the place: `yaml-broken`, `yaml-duplicate-key`, `yaml-too-deep`,
    `yaml-too-large`.
    """
    reading = _Reading(path, manner)
    if len(text) > _LONGEST:
        raise reading.refusal(
            "yaml-too-large", f"the file has more than {_LONGEST} characters", "split it up"
        )
    if (node := _quick_node(text)) is not None:
        return YamlFile(path, reading.part(node, ()), reading.marks, text=text)
    try:
        loader = _Loader(text)
    except yaml.reader.ReaderError as error:
        raise reading.unreadable(text, error.position) from error
    try:
        node = loader.get_single_node()
        data = None if node is None else reading.part(node, ())
        return YamlFile(path, data, reading.marks, text=text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark or loader.get_mark()
        lines = text.splitlines()
        line = lines[mark.line] if mark.line < len(lines) else ""
        raise reading.broken(mark, error.problem or str(error), line) from error
    except RecursionError:
        raise reading.too_deep(loader.get_mark()) from None
    except _TooLarge:
        raise reading.too_large(loader.get_mark()) from None
    finally:
        loader.dispose()


def _quick_node(text: str) -> yaml.Node | None:
    """The nodes of a plain text; None has the other loader read it, or say what is wrong."""
    if text.count("[") + text.count("{") > _BRACKETS or _NOT_PLAIN.search(text):
        return None
    loader = _Quick(text)
    try:
        node: yaml.Node | None = loader.get_single_node()
    except yaml.YAMLError:
        return None
    finally:
        loader.dispose()
    return node


class _Reading:
    """Turns the nodes of one file into data, and notes where each part stands."""

    def __init__(self, path: str, manner: Manner) -> None:
        self.path = path
        self.manner = manner
        self.marks: dict[Place, tuple[int, int]] = {}

    def part(self, node: yaml.Node, at: Place) -> Any:
        """The data of one node; the keys of a block are always texts."""
        self.marks.setdefault(at, (node.start_mark.line + 1, node.start_mark.column + 1))
        if len(at) > self.manner.deepest:
            raise self.too_deep(node.start_mark)
        if len(self.marks) > _MOST:
            raise self.too_large(node.start_mark)
        if isinstance(node, yaml.MappingNode) and node.tag == _TAG + "map":
            return self._block(node, at)
        if isinstance(node, yaml.SequenceNode) and node.tag == _TAG + "seq":
            return [self.part(item, (*at, index)) for index, item in enumerate(node.value)]
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node)
        raise self.broken(node.start_mark, f"the tag {node.tag!r} means nothing here")

    def _block(self, node: yaml.MappingNode, at: Place) -> dict[str, Any]:
        block: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                raise self.broken(key_node.start_mark, "a key is a plain word")
            key = str(key_node.value)
            if key in block:
                raise self.refusal(
                    "yaml-duplicate-key",
                    f"`{key}` stands twice in the same block",
                    "keep one of the two",
                    key_node.start_mark,
                )
            mark = key_node.start_mark
            self.marks[*at, key] = (mark.line + 1, mark.column + 1)
            block[key] = self.part(value_node, (*at, key))
        return block

    def _scalar(self, node: yaml.ScalarNode) -> Any:
        """What a word is read as; a tag alone does not make it that."""
        value = str(node.value)
        match node.tag.removeprefix(_TAG):
            case "null" if _reads_as("null", value):
                return None
            case "bool" if _reads_as("bool", value):
                return value.lower() == "true"
            case "int" if _reads_as("int", value):
                return int(value)
            case "float" if _reads_as("float", value):
                return self.manner.decimal(value)
            case "str":
                return self._text(value, node.start_mark)
        raise self.broken(node.start_mark, f"{value!r}: the tag {node.tag!r} means nothing here")

    def _text(self, value: str, mark: yaml.Mark) -> str:
        """A text as it is; one in quotes can spell what no database keeps."""
        if self.manner.unfit is not None and self.manner.unfit.search(value):
            raise self.refusal(
                "yaml-broken",
                "the text holds a control character or a broken character",
                "leave out what its backslash spells",
                mark,
            )
        return value

    # ------------------------------------------------------------------ refusals

    def refusal(
        self,
        code: str,
        message: str,
        remedy: str,
        mark: yaml.Mark | None = None,
        cause: str | None = None,
    ) -> FatalError:
        """The error to raise, at a place where one is known."""
        place = Subject(file=self.path)
        if mark is not None:
            place = Subject(file=self.path, line=mark.line + 1, column=mark.column + 1)
        return self.manner.error(code, message, subject=place, remedy=remedy, cause=cause)

    def broken(self, mark: yaml.Mark, cause: str, line: str = "") -> FatalError:
        """For what the parser, or this reader, does not take; `line` is what stands there."""
        remedy = "correct the text at this place; indentation and quotes are the usual causes"
        for part, hint in _HINTS:
            if part in cause:
                remedy = hint.replace("{holds}", self.manner.holds)
        for pattern, hint in self.manner.hints:
            if pattern.search(line):
                remedy = hint
        message = "the file is not well-formed YAML"
        return self.refusal("yaml-broken", message, remedy, mark, cause)

    def too_deep(self, mark: yaml.Mark) -> FatalError:
        """For nesting without end."""
        return self.refusal(
            "yaml-too-deep",
            f"the file nests deeper than {self.manner.deepest} levels",
            "remove the nesting, or the alias that refers to itself",
            mark,
        )

    def too_large(self, mark: yaml.Mark) -> FatalError:
        """For parts without end."""
        return self.refusal(
            "yaml-too-large",
            f"the file has more than {_MOST} parts",
            f"write one {self.manner.holds} per file, and no aliases of aliases",
            mark,
        )

    def unreadable(self, text: str, position: int) -> FatalError:
        """For a character YAML does not allow."""
        before = text[:position]
        return self.manner.error(
            "yaml-broken",
            "the file holds a character that YAML does not allow",
            subject=Subject(
                file=self.path,
                line=before.count("\n") + 1,
                column=position - before.rfind("\n"),
            ),
            cause=f"character {text[position]!a}",
            remedy="remove the control character",
        )


def _reads_as(kind: str, value: str) -> bool:
    """Whether a plain word would be read as this kind."""
    resolvers = _Loader.yaml_implicit_resolvers.get(value[:1], [])
    return any(found == _TAG + kind and pattern.match(value) for found, pattern in resolvers)
