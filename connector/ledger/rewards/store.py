"""Rewards in the ledger: every version of each document, and what is in force.

Owns: keeping, listing and loading them, and the settings that hold for all.
Never does: reading files; deciding what is earned (`evaluator.py`).
Tested in: tests/unit/ledger/rewards/test_store.py.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Literal, NamedTuple
from uuid import uuid4

import sqlalchemy as sa

from connector.errors import Subject, UsageError
from connector.ledger.fields import fold
from connector.ledger.ledger import WriteTransaction
from connector.ledger.programs import naming
from connector.ledger.programs.cache import Cache
from connector.ledger.programs.rounding import PointKind
from connector.ledger.programs.store import kinds as kinds_of
from connector.ledger.programs.store import with_kinds
from connector.ledger.rewards.document import RewardDocument
from connector.ledger.rewards.evaluator import SETTINGS, Reward, Rewards, Settings, Several
from connector.ledger.rewards.tables import REWARDS, documents, stamps
from connector.ledger.rewards.tables import settings as settings_table

_D = documents.c
_S = settings_table.c


class Stored(NamedTuple):
    """One version of a reward, its kind as it is called by now; `at` in UTC."""

    document: RewardDocument
    version: int
    at: datetime
    by: str


class Kept(NamedTuple):
    """What keeping a document came to."""

    reward: str
    version: int
    effect: Literal["created", "updated", "unchanged"]


# ---------------------------------------------------------------------------- what is in force


_cache: Cache[Rewards] = Cache()


def load(connection: sa.Connection) -> Rewards:
    """The rewards that may pay now; the same object while nothing about them changes."""
    return _cache.get(
        stamp(connection),
        lambda: _rewards(connection, latest(connection), *_settings(connection, None)),
    )


def load_versions(connection: sa.Connection, versions: Mapping[str, int]) -> Rewards:
    """The rewards as they were when these versions were in force (`Rewards.versions`)."""
    wanted = {name: version for name, version in versions.items() if name != SETTINGS}

    def then() -> Rewards:
        found = sorted(_stored(connection, _D.reward.in_(wanted)), key=_by_name)
        old = [one for one in found if wanted[one.document.reward] == one.version]
        return _rewards(connection, old, *_settings(connection, versions.get(SETTINGS, 0)))

    return _cache.get((stamp(connection), frozenset(versions.items())), then)


def stamp(connection: sa.Connection) -> Hashable:
    """What the rewards in force are made of: the same stamp, the same rewards.

    Kinds of points count, for they say how points are rounded.
    """
    return with_kinds(connection, stamps.c.stamp)


def _rewards(
    connection: sa.Connection, stored: Iterable[Stored], settings: Settings, version: int
) -> Rewards:
    found = list(stored)
    if not found:
        return Rewards((), settings)
    kinds = kinds_of(connection)
    rewards = [Reward.of(one.document, one.version, _kind(kinds, one)) for one in found]
    versions = {one.document.reward: one.version for one in found if one.document.pays}
    return Rewards(rewards, settings, {**versions, SETTINGS: version} if versions else {})


def _kind(kinds: Mapping[str, PointKind], one: Stored) -> PointKind:
    name = one.document.kind
    return kinds.get(fold(name)) or PointKind(name)


# ---------------------------------------------------------------------------- documents


def latest(connection: sa.Connection) -> list[Stored]:
    """Every reward as it is now, archived ones too, in the order of their names."""
    newest = sa.select(_D.reward, sa.func.max(_D.version).label("version")).group_by(_D.reward)
    last = newest.subquery()
    matching = sa.and_(last.c.reward == _D.reward, last.c.version == _D.version)
    return sorted(_stored(connection, sa.exists().where(matching)), key=_by_name)


def history(connection: sa.Connection, reward: str) -> list[Stored]:
    """Every version of a reward, the newest first; UsageError `reward-unknown`."""
    found = _stored(connection, _D.reward == fold(reward))
    if not found:
        raise UsageError(
            "reward-unknown",
            f"the ledger has no reward '{reward}'",
            remedy="`dualwrite ledger rewards list --archived` shows what there is",
            subject=Subject(record=reward),
        )
    return sorted(found, key=lambda one: -one.version)


def stored(connection: sa.Connection, reward: str, version: int | None = None) -> Stored:
    """A reward as it is, or as it was; UsageError `reward-unknown`."""
    versions = history(connection, reward)
    found = next((one for one in versions if version in {None, one.version}), None)
    if found is None:
        raise UsageError(
            "reward-unknown",
            f"the reward '{reward}' has no version {version}",
            remedy=f"it has the versions 1 to {versions[0].version}",
            subject=Subject(record=reward),
        )
    return found


def keep(transaction: WriteTransaction, document: RewardDocument) -> Kept:
    """A new version of a reward, unless it is as the newest one is."""
    connection, kept = transaction.connection, document.kept()
    found = _stored(connection, _D.reward == document.reward)
    newest = max(found, key=lambda one: one.version, default=None)
    if newest is not None and newest.document.kept() == kept:
        return Kept(document.reward, newest.version, "unchanged")
    version = 1 if newest is None else newest.version + 1
    row = {"reward": document.reward, "version": version, "document": kept, **_signed(transaction)}
    connection.execute(sa.insert(documents), [row])
    naming.bind(connection, REWARDS + document.reward, version, kept)
    _stamped(connection)
    return Kept(document.reward, version, "created" if newest is None else "updated")


def archive(transaction: WriteTransaction, reward: str, *, archived: bool = True) -> Kept:
    """The reward never pays again, or may do so again; UsageError `reward-unknown`."""
    now = stored(transaction.connection, reward).document
    return keep(transaction, now.model_copy(update={"archived": archived}))


def _stored(connection: sa.Connection, *where: sa.ColumnElement[bool]) -> list[Stored]:
    query = sa.select(_D.reward, _D.document, _D.version, _D.at, _D.by).where(*where)
    renamed = naming.renamed(connection)
    found: list[Stored] = []
    for reward, text, version, at, by in connection.execute(query):
        names = renamed.get((REWARDS + reward, version), naming.NONE)
        document = RewardDocument.parsed(naming.today(text, names))
        found.append(Stored(document, version, at.replace(tzinfo=UTC), by))
    return found


def _by_name(one: Stored) -> str:
    return one.document.reward


# ---------------------------------------------------------------------------- settings


def settings(connection: sa.Connection) -> Settings:
    """Those in force."""
    return _settings(connection, None)[0]


def keep_settings(transaction: WriteTransaction, wanted: Settings) -> None:
    """Settings from now on; nothing that was earned already changes."""
    now, version = _settings(transaction.connection, None)
    if now == wanted:
        return
    row = {
        "version": version + 1,
        "on_points": wanted.on_points,
        "months": wanted.months,
        "several": wanted.several.value,
        **_signed(transaction),
    }
    transaction.connection.execute(sa.insert(settings_table), [row])
    _stamped(transaction.connection)


def _settings(connection: sa.Connection, version: int | None) -> tuple[Settings, int]:
    """A version of the settings, or the newest; version 0 is how a ledger is delivered."""
    query = sa.select(_S.version, _S.on_points, _S.months, _S.several)
    if version is not None:
        query = query.where(_S.version == version)
    row = connection.execute(query.order_by(_S.version.desc()).limit(1)).one_or_none()
    if row is None:
        return Settings(), 0
    return Settings(row.on_points, row.months, Several(row.several)), row.version


def _stamped(connection: sa.Connection) -> None:
    new = str(uuid4())
    if not connection.execute(sa.update(stamps).values(stamp=new)).rowcount:
        connection.execute(sa.insert(stamps), [{"singleton": 1, "stamp": new}])


def _signed(transaction: WriteTransaction) -> dict[str, object]:
    return {"at": transaction.feed.stored_at, "by": transaction.by}
