"""What is wrong in a config file, said with key, file and line.

Owns: turning the library's validation errors into one ConfigError; finding the line of a key.
Never does: validating; repeating a value, because any value may be a secret in the wrong place.
Tested in: tests/unit/config/test_settings.py.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from connector.errors import ConfigError, Subject

_BARE = r"""[A-Za-z0-9_-]+|"[^"]*"|'[^']*'"""
_DOTTED = rf"(?:{_BARE})(?:\s*\.\s*(?:{_BARE}))*"
_TABLE = re.compile(rf"^\s*\[\s*({_DOTTED})\s*\]")
_ELEMENT = re.compile(rf"^\s*\[\[\s*({_DOTTED})\s*\]\]")
_PAIR = re.compile(rf"^\s*({_DOTTED})\s*=")


class Finding(NamedTuple):
    """One mistake: the path of the key and what is wrong with it, without its value."""

    path: tuple[str, ...]
    text: str

    @property
    def key(self) -> str:
        """The path as it is spelled in a sentence; `[0]` is the first element of a list."""
        return re.sub(r"\.(\d+)(?=\.|$)", r"[\1]", ".".join(self.path))

    def variable(self, env_prefix: str) -> str | None:
        """The environment variable that set this key, if one did."""
        name = (env_prefix + "__".join(self.path)).upper()
        return next((spelled for spelled in os.environ if spelled.upper() == name), None)


def unknown_key(path: tuple[str, ...], table: type[BaseModel]) -> Finding:
    """A key of `table` nobody reads, with the nearest one that somebody does."""
    known = list(table.model_fields)
    close = get_close_matches(path[-1], known, n=1)
    hint = f"did you mean {close[0]}?" if close else f"known here: {', '.join(known)}"
    return Finding(path, f"unknown key; {hint}")


def findings_of(error: ValidationError, root: type[BaseModel]) -> Iterator[Finding]:
    """The library's errors about `root`, each as a sentence a person can act on."""
    for one in error.errors(include_url=False, include_input=False):
        path, table = _place(tuple(str(part) for part in one["loc"]), root)
        match one["type"]:
            case "extra_forbidden":
                yield unknown_key(path, table)
            case "missing":
                yield Finding(path, f"this {'section' if len(path) == 1 else 'key'} is required")
            case "union_tag_not_found":
                yield Finding((*path, _tag(one)), "this key is required")
            case "union_tag_invalid":
                yield Finding((*path, _tag(one)), f"one of {one['ctx']['expected_tags']}")
            case "value_error":
                yield Finding(path, str(one["ctx"]["error"]))
            case "tuple_type":
                yield Finding(path, f"there may be several: write [[{'.'.join(path)}]]")
            case _:
                yield Finding(path, one["msg"][:1].lower() + one["msg"][1:])


def _tag(error: ErrorDetails) -> str:
    """The key that tells which model a table is."""
    return str(error["ctx"]["discriminator"]).strip("'")


def config_invalid(
    findings: Iterable[Finding], *, file: Path, text: str, env_prefix: str
) -> ConfigError:
    """One error for all findings, at least one; its subject is the first of them."""
    lines = key_lines(text)
    first, *others = findings

    def line_of(finding: Finding) -> int | None:
        if finding.variable(env_prefix):
            return None
        paths = (finding.path[:length] for length in range(len(finding.path), 0, -1))
        return next((lines[path] for path in paths if path in lines), None)

    def place_of(finding: Finding) -> str:
        line = line_of(finding)
        return finding.variable(env_prefix) or (f"{file}:{line}" if line else str(file))

    message = first.text  # its key is the subject
    if others:
        rows = [f"{place_of(one)}: {one.key}: {one.text}" for one in (first, *others)]
        message = "\n  - ".join([f"{len(rows)} keys are wrong", *rows])
    variable = first.variable(env_prefix)
    return ConfigError(
        "config-invalid",
        message,
        subject=Subject(file=str(file), line=line_of(first), field=first.key),
        cause=f"it is set by the environment variable {variable}" if variable else None,
        remedy="mend the config; `dualwrite schema config` prints every key it knows",
    )


def key_lines(text: str) -> Mapping[tuple[str, ...], int]:
    """The line (from 1) on which each table and key of a TOML text first appears.

    The standard library's parser gives values without positions. A key spelled in a way this
    scan does not know has no line, which makes an error less exact but never wrong.
    """
    lines: dict[tuple[str, ...], int] = {}
    table: tuple[str, ...] = ()
    elements: Counter[tuple[str, ...]] = Counter()
    for number, line in enumerate(text.splitlines(), start=1):
        if match := _ELEMENT.match(line):
            name = _names(match[1])
            path = table = (*name, str(elements[name]))
            elements[name] += 1
        elif match := _TABLE.match(line):
            path = table = _names(match[1])
        elif match := _PAIR.match(line):
            path = table + _names(match[1])
        else:
            continue
        for length in range(1, len(path) + 1):
            lines.setdefault(path[:length], number)
    return lines


def _names(dotted: str) -> tuple[str, ...]:
    return tuple(name.strip("\"'") for name in re.findall(_BARE, dotted))


def _place(loc: tuple[str, ...], root: type[BaseModel]) -> tuple[tuple[str, ...], type[BaseModel]]:
    """The path of a key as the file has it, and the model of the table it stands in.

    Where a table is one of several models, the library's place has the model's tag after its
    name. Tables by name or in a list take one name more.
    """
    table, path, parts = root, [], list(loc)
    while parts:
        name = parts.pop(0)
        path.append(name)
        field = table.model_fields.get(name)
        if field is None or not parts:
            break
        annotation: Any = field.annotation
        if get_origin(annotation) in (dict, tuple):
            path.append(parts.pop(0))
            annotation = get_args(annotation)[-1 if get_origin(annotation) is dict else 0]
        models = _models(annotation)
        if len(models) > 1 and parts:
            tag = parts.pop(0)
            models = [one for one in models if tag in _tags(one)]
        if not models or not parts:
            break
        (table,) = models
    return (*path, *parts), table


def _models(annotation: Any) -> list[type[BaseModel]]:
    """The models a field may hold."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for one in get_args(annotation) for model in _models(one)]


def _tags(model: type[BaseModel]) -> set[str]:
    """Every word that one of its keys is restricted to; its tag is one of them."""
    return {
        str(word)
        for field in model.model_fields.values()
        if get_origin(field.annotation) is Literal
        for word in get_args(field.annotation)
    }
