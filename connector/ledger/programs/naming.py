"""Which kinds of points a document means, whatever they are called by now.

Owns: binding the names in a document to kinds when it is kept, and what those kinds are called
today; a program and the text of a file under today's names.
Never does: knowing when a document is kept or read (`store.py`, `rewards/store.py`).
Tested in: tests/unit/ledger/programs/test_naming.py.

A name belongs to whoever bears it at the time. A program that was imported for the kind `bonus`
goes on with that kind when it is called `stars`, also when another one is called `bonus` then.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, TypeAlias, TypeVar

import sqlalchemy as sa
import yaml

from connector.ledger.fields import fold
from connector.ledger.programs.document import ProgramDocument, Use
from connector.ledger.programs.tables import document_kinds
from connector.ledger.schema import REWARD_POINTS
from connector.ledger.sql import rows_in

Names: TypeAlias = Mapping[str, str]
"""Folded name in the document to what the kind is called today; only where that is another."""
_Named = TypeVar("_Named", bound=Any)

NONE: Names = MappingProxyType({})
OPTION = "kind"
"""The option of an extension that names a kind."""
_KIND = REWARD_POINTS.table.c
_D = document_kinds.c
_RENAMED = sa.select(_D.document, _D.version, _D.name, _KIND.reward_point_id).where(
    _KIND.id == _D.kind, _KIND.key != _D.name
)


def bind(connection: sa.Connection, document: str, version: int, names: Iterable[str]) -> None:
    """Note which kinds a version of a document means by these names; unknown ones stay names."""
    wanted = sorted(set(map(fold, names)))
    rows = [
        {"document": document, "version": version, "name": key, "kind": kind}
        for key, kind in rows_in(connection, [_KIND.key, _KIND.id], _KIND.key, wanted)
    ]
    if rows:
        connection.execute(sa.insert(document_kinds), rows)


def renamed(connection: sa.Connection) -> Mapping[tuple[str, int], Names]:
    """By document and version, the kinds that have another name since; mostly nothing."""
    found: dict[tuple[str, int], dict[str, str]] = {}
    for document, version, name, today in connection.execute(_RENAMED):
        found.setdefault((document, version), {})[name] = today
    return found


def names_of(document: ProgramDocument) -> Iterator[str]:
    """The kinds a program names, some of them twice."""
    for part in (document.tiers, document.earn, document.redeem):
        yield from (one.kind for one in part)
    yield from (str(one.with_[OPTION]) for one in document.extensions if OPTION in one.with_)


def today(document: ProgramDocument, names: Names) -> ProgramDocument:
    """The program with its kinds as they are called by now."""
    if not names:
        return document

    def named(part: tuple[_Named, ...]) -> tuple[_Named, ...]:
        return tuple(one.model_copy(update={"kind": called(one.kind, names)}) for one in part)

    def using(use: Use) -> Use:
        kind = {OPTION: called(str(use.with_[OPTION]), names)} if OPTION in use.with_ else {}
        return use.model_copy(update={"with_": {**use.with_, **kind}})

    changed = {
        "tiers": named(document.tiers),
        "earn": named(document.earn),
        "redeem": named(document.redeem),
        "extensions": tuple(map(using, document.extensions)),
    }
    return document.model_copy(update=changed)


def called(kind: str, names: Names) -> str:
    """What a kind is called by now."""
    return names.get(fold(kind), kind)


def text_today(text: str, names: Names) -> str:
    """The text of a YAML file with each `kind` as it is called by now; all else is untouched."""
    if not names:
        return text
    root = yaml.compose(text, yaml.SafeLoader)
    for node in sorted(_kinds(root), key=lambda one: -one.start_mark.index):
        if fold(node.value) in names:
            before, after = text[: node.start_mark.index], text[node.end_mark.index :]
            text = before + _spelled(names[fold(node.value)]) + after
    return text


def _kinds(node: yaml.Node | None) -> Iterator[yaml.ScalarNode]:
    """The values of all keys called `kind`."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == OPTION and isinstance(value, yaml.ScalarNode):
                yield value
            yield from _kinds(value)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            yield from _kinds(value)


def _spelled(name: str) -> str:
    """A text in quotes, as YAML reads it back."""
    quoted: str = yaml.safe_dump(name, default_style='"', allow_unicode=True, width=1000)
    return quoted.rstrip("\n")
