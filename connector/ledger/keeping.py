"""Records that stay although somebody deletes them.

Owns: the reasons: points on a card or of a kind, and kinds that programs and rewards name.
Never does: deleting anything (`batch.py`).
Tested in: tests/unit/ledger/test_keeping.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import sqlalchemy as sa

from connector.errors import RecordError, Subject
from connector.ledger.journal.tables import POINTS_OF
from connector.ledger.programs.tables import document_kinds, programs
from connector.ledger.rewards.tables import REWARDS, documents
from connector.ledger.schema import REWARD_POINTS, EntityType
from connector.ledger.sql import rows_in

_D = document_kinds.c
_NEWEST_REWARD = (
    sa.select(sa.func.max(documents.c.version))
    .where(_D.document == REWARDS + documents.c.reward)
    .scalar_subquery()
)
_IN_FORCE = sa.or_(
    sa.exists().where(
        programs.c.name == _D.document, programs.c.version == _D.version, programs.c.active
    ),
    _D.version == _NEWEST_REWARD,
)


def kept(
    connection: sa.Connection, entity: EntityType, ids: Sequence[str]
) -> Mapping[str, RecordError]:
    """Which of these records stay, and why: RecordError `points-kept`, `kind-named`."""
    found: dict[str, RecordError] = {}
    if entity is REWARD_POINTS:
        for kind, document in rows_in(connection, [_D.kind, _D.document], _D.kind, ids, _IN_FORCE):
            found[kind] = _named(entity, document)
    column = POINTS_OF.get(entity.name)
    if column is not None:
        for (id,) in rows_in(connection, [column], column, ids):
            found[id] = _has_points(entity)
    return found


def _named(entity: EntityType, document: str) -> RecordError:
    what = "reward" if document.startswith(REWARDS) else "program"
    name = document.removeprefix(REWARDS)
    return RecordError(
        "kind-named",
        f"the {what} `{name}` names this kind of points, so it stays: sales would stop without it",
        remedy=f"import the {what} without it first, or leave the kind and set Redeemable to No",
        subject=Subject(entity=entity.name),
    )


def _has_points(entity: EntityType) -> RecordError:
    return RecordError(
        "points-kept",
        "entries of the points journal refer to this record, so it stays",
        remedy="set CardTenderType to Blocked, or Redeemable to No: that takes it out of use",
        subject=Subject(entity=entity.name),
    )
