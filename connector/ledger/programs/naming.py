"""Which kinds of points a document means, whatever they are called by now.

Owns: binding the names in a document to kinds when it is kept, and what those kinds are called
today; a program and the text of a file under today's names.
Never does: knowing when a document is kept or read (`store.py`, `rewards/store.py`).
Tested in: tests/unit/ledger/programs/test_naming.py.

A name belongs to whoever bears it at the time. A program that was imported for the kind `bonus`
goes on with that kind when it is called `stars`, also when another one is called `bonus` then.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, TypeAlias

import sqlalchemy as sa
import yaml

from connector.ledger.fields import fold
from connector.ledger.payments.tables import parts
from connector.ledger.programs.tables import document_kinds, program_versions
from connector.ledger.rewards.tables import REWARDS
from connector.ledger.rewards.tables import documents as rewards
from connector.ledger.schema import REWARD_POINTS
from connector.ledger.segments.tables import SEGMENTS, segment_versions
from connector.ledger.sql import rows_in

Names: TypeAlias = Mapping[str, str]
"""Folded name in the document to what the kind is called today; only where that is another."""

NONE: Names = MappingProxyType({})
KIND = "kind"
"""The key that names a kind, in every document and in the options of an extension."""
_KIND = REWARD_POINTS.table.c
_D = document_kinds.c
_RENAMED = sa.select(_D.document, _D.version, _D.name, _KIND.reward_point_id).where(
    _KIND.id == _D.kind, _KIND.key != _D.name
)


def bind(connection: sa.Connection, document: str, version: int, kept: str) -> None:
    """Note which kinds a version of a document means; `kept` is its JSON.

    A name nobody bears stays a name.
    """
    wanted = sorted(set(map(fold, _named(json.loads(kept)))))
    rows = [
        {"document": document, "version": version, "name": key, "kind": kind}
        for key, kind in rows_in(connection, [_KIND.key, _KIND.id], _KIND.key, wanted)
    ]
    if rows:
        connection.execute(sa.insert(document_kinds), rows)


def unbind(connection: sa.Connection, document: str) -> None:
    """Forget a document that is gone with all its versions."""
    connection.execute(sa.delete(document_kinds).where(_D.document == document))


def bind_all(connection: sa.Connection) -> None:
    """Bind all that named kinds by the names of today: of a ledger that kept names alone."""
    of_programs, of_rewards, of_segments = program_versions.c, rewards.c, segment_versions.c
    kept = sa.union_all(
        sa.select(of_programs.program, of_programs.version, of_programs.document),
        sa.select(REWARDS + of_rewards.reward, of_rewards.version, of_rewards.document),
        sa.select(SEGMENTS + of_segments.segment, of_segments.version, of_segments.document),
    )
    for document, version, text in connection.execute(kept).all():
        bind(connection, document, version, text)
    called = sa.select(_KIND.id).where(_KIND.reward_point_id == parts.c.kind).scalar_subquery()
    connection.execute(sa.update(parts).values(kind=sa.func.coalesce(called, parts.c.kind)))


def renamed(connection: sa.Connection) -> Mapping[tuple[str, int], Names]:
    """By document and version, the kinds that have another name since; mostly nothing."""
    found: dict[tuple[str, int], dict[str, str]] = {}
    for document, version, name, today in connection.execute(_RENAMED):
        found.setdefault((document, version), {})[name] = today
    return found


def today(kept: str, names: Names) -> str:
    """The JSON of a document with its kinds as they are called by now."""
    if not names:
        return kept

    def called(held: dict[str, Any]) -> dict[str, Any]:
        if KIND in held:
            held[KIND] = names.get(fold(str(held[KIND])), held[KIND])
        return held

    return json.dumps(json.loads(kept, object_hook=called), ensure_ascii=False)


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


def _named(data: Any) -> Iterator[str]:
    """The values of all keys called `kind`, at any depth."""
    if isinstance(data, dict):
        if KIND in data:
            yield str(data[KIND])
        data = list(data.values())
    for part in data if isinstance(data, list) else ():
        yield from _named(part)


def _kinds(node: yaml.Node | None) -> Iterator[yaml.ScalarNode]:
    """The values of all keys called `kind`."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == KIND and isinstance(value, yaml.ScalarNode):
                yield value
            yield from _kinds(value)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            yield from _kinds(value)


def _spelled(name: str) -> str:
    """A text in quotes, as YAML reads it back."""
    quoted: str = yaml.safe_dump(name, default_style='"', allow_unicode=True, width=1000)
    return quoted.rstrip("\n")
