"""What people decide, what is undone, forgotten and purged, and what raises an alert.

A migration is history: it spells every column itself and never reads `schema.py`. Columns are
added with constants as defaults, which both databases do without rewriting a large table.
"""

from __future__ import annotations

import hashlib
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

ADDED: dict[str, sa.Column[Any]] = {
    "records": sa.Column("accepted", sa.Integer, nullable=False, server_default="0"),
    "conflicts": sa.Column("revision", sa.Integer, nullable=False, server_default="1"),
    "changes": sa.Column("agreed", sa.Text),
    "runs": sa.Column("first_change", sa.BigInteger),
    "maps": sa.Column("audit_kept_since", sa.Double),
}
TOMBSTONE = sa.text("commerce_presence = 'absent' AND dataverse_presence = 'absent'")


def upgrade() -> None:
    """Add the columns, and the tables for what is left of records that are no longer kept."""
    for table, column in ADDED.items():
        op.add_column(table, column._copy())
    for name in ("high_id", "high_version"):
        op.add_column("positions", sa.Column(name, sa.Text))
    op.create_index(
        "records_tombstones",
        "records",
        ["map", "number"],
        sqlite_where=TOMBSTONE,
        postgresql_where=TOMBSTONE,
    )
    _digests()
    # Runs of the older version reach back as far as their own rows; one without any has none.
    op.execute(
        "UPDATE runs SET first_change = found.first FROM "
        "(SELECT run, min(number) AS first FROM changes GROUP BY run) AS found "
        "WHERE found.run = runs.number"
    )
    _keyless()
    _left()
    _alerts()


def _keyless() -> None:
    """Keys of rows without one began with NUL, which only SQLite can keep; now with U+0001."""
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            "UPDATE records SET key = CAST(x'01' || substr(CAST(key AS BLOB), 2) AS TEXT) "
            "WHERE substr(CAST(key AS BLOB), 1, 1) = x'00'"
        )


def _digests() -> None:
    """Layouts are told apart by a digest: PostgreSQL cannot index a long list of columns."""
    op.add_column("layouts", sa.Column("digest", sa.Text))
    layouts = sa.table("layouts", sa.column("id"), sa.column("columns"), sa.column("digest"))
    connection = op.get_bind()
    for number, columns in connection.execute(sa.select(layouts.c.id, layouts.c.columns)).all():
        digest = hashlib.sha256(columns.encode()).hexdigest()
        connection.execute(sa.update(layouts).where(layouts.c.id == number).values(digest=digest))
    with op.batch_alter_table("layouts") as batch:
        batch.alter_column("digest", existing_type=sa.Text(), nullable=False)
        batch.drop_constraint("layouts_columns", type_="unique")
        batch.create_unique_constraint("layouts_digest", ["map", "digest"])


def _left() -> None:
    op.create_table(
        "departed",
        sa.Column("map", sa.Text, primary_key=True),
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("record", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("at", sa.Double, nullable=False),
    )
    op.create_index("departed_record", "departed", ["record"])
    op.create_table(
        "forgotten",
        sa.Column("map", sa.Text, primary_key=True),
        sa.Column("hash", sa.Text, primary_key=True),
        sa.Column("record", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("at", sa.Double, nullable=False),
    )
    op.create_table(
        "secrets",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("value", sa.Text, nullable=False),
    )


def _alerts() -> None:
    op.create_table(
        "incidents",
        sa.Column("map", sa.Text, primary_key=True),
        sa.Column("kind", sa.Text, primary_key=True),
        sa.Column("minute", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("count", sa.Integer, nullable=False),
    )
    op.create_table(
        "alerts",
        sa.Column("map", sa.Text, primary_key=True),
        sa.Column("rule", sa.Text, primary_key=True),
        sa.Column("raised_at", sa.Double, nullable=False),
    )


def downgrade() -> None:
    """Take everything back; what people decided since is lost."""
    for table in ("alerts", "incidents", "secrets", "forgotten", "departed"):
        op.drop_table(table)
    op.drop_index("records_tombstones", "records")
    with op.batch_alter_table("layouts") as batch:
        batch.drop_constraint("layouts_digest", type_="unique")
        batch.create_unique_constraint("layouts_columns", ["map", "columns"])
        batch.drop_column("digest")
    for name in ("high_version", "high_id"):
        op.drop_column("positions", name)
    for table, column in ADDED.items():
        op.drop_column(table, column.name)
