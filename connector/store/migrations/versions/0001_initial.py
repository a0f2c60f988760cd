"""The state schema: agreed pairs, ticks, identities and epochs, leases, intents, audit.

A migration is history: it spells every column itself and never reads `schema.py`.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision: str | None = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create every table."""
    _bookkeeping()
    _records()
    _questions()
    _changes()


def _partial(name: str, table: str, columns: list[str], where: str) -> None:
    condition = sa.text(where)
    op.create_index(name, table, columns, sqlite_where=condition, postgresql_where=condition)


def _bookkeeping() -> None:
    op.create_table(
        "endpoints",
        sa.Column("side", sa.Text, primary_key=True),
        sa.Column("identity", sa.Text, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("epoch", sa.Integer, nullable=False),
        sa.Column("high_version", sa.Text),
    )
    op.create_table(
        "maps",
        sa.Column("map", sa.Text, primary_key=True),
        sa.Column("fingerprint", sa.Text, nullable=False),
        sa.Column("version", sa.Text, nullable=False),
        sa.Column("loaded_at", sa.Double),
        sa.Column("stopped", sa.Text),
        sa.Column("allowed_deletes", sa.Integer, nullable=False, server_default="0"),
    )
    op.create_table(
        "layouts",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("map", sa.Text, nullable=False),
        sa.Column("columns", sa.Text, nullable=False),
        sa.UniqueConstraint("map", "columns", name="layouts_columns"),
    )
    op.create_table(
        "positions",
        sa.Column("map", sa.Text, primary_key=True),
        sa.Column("side", sa.Text, primary_key=True),
        sa.Column("kind", sa.Text, primary_key=True),
        sa.Column("position", sa.Text, nullable=False),
        sa.Column("columns", sa.Text, nullable=False),
        sa.Column("epoch", sa.Integer, nullable=False),
        sa.Column("tick", sa.BigInteger, nullable=False),
        sa.Column("at", sa.Double, nullable=False),
    )
    op.create_table(
        "leases",
        sa.Column("map", sa.Text, primary_key=True),
        sa.Column("holder", sa.Text, nullable=False),
        sa.Column("fencing", sa.BigInteger, nullable=False),
        sa.Column("expires", sa.Double, nullable=False),
    )
    sequences = op.create_table(
        "sequences",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("next", sa.BigInteger, nullable=False),
    )
    op.bulk_insert(
        sequences, [{"name": name, "next": 1} for name in ("record", "change", "batch", "tick")]
    )
    op.create_table(
        "runs",
        sa.Column("number", NUMBER, primary_key=True),
        sa.Column("command", sa.Text, nullable=False),
        sa.Column("map", sa.Text, nullable=False),
        sa.Column("fingerprint", sa.Text, nullable=False),
        sa.Column("started", sa.Double, nullable=False),
        sa.Column("ended", sa.Double),
        sa.Column("outcome", sa.Text),
        sa.Column("counts", sa.Text),
        sa.Column("error", sa.Text),
    )
    op.create_index("runs_map", "runs", ["map", "number"])


def _side(side: str) -> list[sa.Column[object]]:
    return [
        sa.Column(f"{side}_presence", sa.Text, nullable=False),
        sa.Column(f"{side}_id", sa.Text),
        sa.Column(f"{side}_key", sa.Text),
        sa.Column(f"{side}_version", sa.Text),
        sa.Column(f"{side}_epoch", sa.Integer, nullable=False),
        sa.Column(f"{side}_tick", sa.BigInteger, nullable=False),
        sa.Column(f"{side}_modified_at", sa.Double),
        sa.Column(f"{side}_modifier", sa.Text),
        sa.Column(f"{side}_image", sa.Text),
        sa.Column(f"{side}_agreed", sa.Text),
    ]


def _records() -> None:
    op.create_table(
        "records",
        sa.Column("number", NUMBER, primary_key=True, autoincrement=False),
        sa.Column("map", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("ordinal", sa.Integer, nullable=False),
        sa.Column("layout", sa.Integer, nullable=False),
        sa.Column("unconfirmed", sa.Integer, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("due", sa.Double),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("waiting", sa.Integer, nullable=False),
        sa.Column("conflicts", sa.Integer, nullable=False),
        sa.Column("problem", sa.Text),
        *_side("commerce"),
        *_side("dataverse"),
        sa.UniqueConstraint("map", "key", "ordinal", name="records_key"),
    )
    op.create_index("records_commerce_id", "records", ["map", "commerce_id"])
    op.create_index("records_dataverse_id", "records", ["map", "dataverse_id"])
    _partial("records_due", "records", ["map", "number", "due"], "due IS NOT NULL")
    _partial("records_unconfirmed", "records", ["map", "unconfirmed"], "unconfirmed = 1")
    _partial(
        "records_state",
        "records",
        ["map", "number"],
        "state IN ('waiting', 'conflict', 'parked')",
    )


def _questions() -> None:
    op.create_table(
        "waits",
        sa.Column("record", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("group_name", sa.Text, primary_key=True),
        sa.Column("side", sa.Text, primary_key=True),
        sa.Column("entity", sa.Text, primary_key=True),
        sa.Column("column_name", sa.Text, primary_key=True),
        sa.Column("value", sa.Text, primary_key=True),
        sa.Column("map", sa.Text, nullable=False),
    )
    op.create_index("waits_target", "waits", ["map", "side", "entity", "column_name", "value"])
    op.create_table(
        "conflicts",
        sa.Column("number", NUMBER, primary_key=True),
        sa.Column("record", sa.BigInteger, nullable=False),
        sa.Column("map", sa.Text, nullable=False),
        sa.Column("group_name", sa.Text, nullable=False),
        sa.Column("layout", sa.Integer, nullable=False),
        sa.Column("base", sa.Text, nullable=False),
        sa.Column("seen", sa.Text, nullable=False),
        sa.Column("run", sa.BigInteger, nullable=False),
        sa.Column("opened_at", sa.Double, nullable=False),
        sa.Column("closed_at", sa.Double),
        sa.Column("decision", sa.Text),
        sa.Column("decided_by", sa.Text),
        sa.Column("decided_at", sa.Double),
        sqlite_autoincrement=True,
    )
    op.create_index("conflicts_record", "conflicts", ["record"])
    _partial("conflicts_open", "conflicts", ["map", "number"], "closed_at IS NULL")


def _changes() -> None:
    op.create_table(
        "changes",
        sa.Column("number", NUMBER, primary_key=True, autoincrement=False),
        sa.Column("run", sa.BigInteger, nullable=False),
        sa.Column("batch", sa.BigInteger),
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("map", sa.Text, nullable=False),
        sa.Column("record", sa.BigInteger, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("side", sa.Text, nullable=False),
        sa.Column("target", sa.Text),
        sa.Column("expected", sa.Text),
        sa.Column("version", sa.Text),
        sa.Column("before", sa.Text),
        sa.Column("after", sa.Text),
        sa.Column("outcome", sa.Text),
        sa.Column("detail", sa.Text),
    )
    op.create_index("changes_record", "changes", ["record"])
    _partial("changes_intents", "changes", ["map", "batch"], "outcome IS NULL")
    _partial("changes_deletes", "changes", ["map", "side", "at"], "kind = 'delete'")


def downgrade() -> None:
    """Drop every table."""
    for table in (
        "changes",
        "conflicts",
        "waits",
        "records",
        "runs",
        "sequences",
        "leases",
        "positions",
        "layouts",
        "maps",
        "endpoints",
    ):
        op.drop_table(table)
