"""The tables of the sync state.

Owns: names, types, keys and indexes, one table per noun of `base.py`.
Never does: queries; changing a database (`migrations/` does, and a test holds it equal to this).
Tested in: tests/unit/store/test_migrations.py.

Enumerations are kept as their own short words and images as JSON arrays, so that a person with
the sqlite3 shell can read what the engine believes. Times are seconds since the epoch, UTC.
There are no foreign keys: audit rows outlive the records they tell of.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Double,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from connector.partial_index import partial_index

REVISION = "0004"
"""The newest migration; a database that names it is opened without asking alembic."""

SEQUENCES = ("record", "change", "batch", "tick")
"""What `numbers` hands out; the first migration writes one row for each."""

SAME = "="
"""In an `agreed` column: the same as the `image` beside it, which is true of every settled
record; a page of them is read and updated a third faster than with every image twice."""

Number = BigInteger().with_variant(Integer(), "sqlite")
"""SQLite numbers its own rows only under a column declared INTEGER."""

metadata = MetaData()

# ---------------------------------------------------------------------------- bookkeeping

endpoints = Table(
    "endpoints",
    metadata,
    Column("side", Text, primary_key=True),
    Column("identity", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("high_version", Text),
)

maps = Table(
    "maps",
    metadata,
    Column("map", Text, primary_key=True),
    Column("fingerprint", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("loaded_at", Double),
    Column("stopped", Text),
    Column("allowed_deletes", Integer, nullable=False, server_default="0"),
    Column("audit_kept_since", Double),
    Column("document", Text),
)

# Apart from `maps`, whose rows are read in every cycle: a description may be long.
descriptions = Table(
    "descriptions",
    metadata,
    Column("map", Text, primary_key=True),
    Column("described", Text, nullable=False),
)

layouts = Table(
    "layouts",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("map", Text, nullable=False),
    Column("columns", Text, nullable=False),
    # PostgreSQL indexes no text longer than a third of a page, which 60 columns are.
    Column("digest", Text, nullable=False),
    UniqueConstraint("map", "digest", name="layouts_digest"),
)

positions = Table(
    "positions",
    metadata,
    Column("map", Text, primary_key=True),
    Column("side", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("position", Text, nullable=False),
    Column("columns", Text, nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("tick", BigInteger, nullable=False),
    Column("at", Double, nullable=False),
    Column("high_id", Text),
    Column("high_version", Text),
)

leases = Table(
    "leases",
    metadata,
    Column("map", Text, primary_key=True),
    Column("holder", Text, nullable=False),
    Column("fencing", BigInteger, nullable=False),
    Column("expires", Double, nullable=False),
)

sequences = Table(
    "sequences",
    metadata,
    Column("name", Text, primary_key=True),
    Column("next", BigInteger, nullable=False),
)

runs = Table(
    "runs",
    metadata,
    Column("number", Number, primary_key=True),
    Column("command", Text, nullable=False),
    Column("map", Text, nullable=False),
    Column("fingerprint", Text, nullable=False),
    Column("started", Double, nullable=False),
    Column("ended", Double),
    Column("outcome", Text),
    Column("counts", Text),
    Column("error", Text),
    Column("first_change", BigInteger),
    Index("runs_map", "map", "number"),
)

# ---------------------------------------------------------------------------- records


def _side(side: str) -> list[Column[object]]:
    """What a record holds of one side."""
    return [
        Column(f"{side}_presence", Text, nullable=False),
        Column(f"{side}_id", Text),
        Column(f"{side}_key", Text),
        Column(f"{side}_version", Text),
        Column(f"{side}_epoch", Integer, nullable=False),
        Column(f"{side}_tick", BigInteger, nullable=False),
        Column(f"{side}_modified_at", Double),
        Column(f"{side}_modifier", Text),
        Column(f"{side}_image", Text),
        Column(f"{side}_agreed", Text),
    ]


NEEDS_A_PERSON = "state IN ('waiting', 'conflict', 'parked')"
"""Few records in a healthy map: their partial index costs the others nothing."""

TOMBSTONE = "commerce_presence = 'absent' AND dataverse_presence = 'absent'"
"""Gone on both sides; few too, and purged in time."""

records = Table(
    "records",
    metadata,
    Column("number", Number, primary_key=True, autoincrement=False),
    Column("map", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("ordinal", Integer, nullable=False),
    Column("layout", Integer, nullable=False),
    Column("unconfirmed", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("due", Double),
    Column("attempts", Integer, nullable=False),
    Column("waiting", Integer, nullable=False),
    Column("conflicts", Integer, nullable=False),
    Column("problem", Text),
    *_side("commerce"),
    *_side("dataverse"),
    Column("accepted", Integer, nullable=False, server_default="0"),
    Column("anew", Text),
    UniqueConstraint("map", "key", "ordinal", name="records_key"),
    Index("records_commerce_id", "map", "commerce_id"),
    Index("records_dataverse_id", "map", "dataverse_id"),
    partial_index(
        "records_due",
        "map",
        "number",
        "due",
        where=text("due IS NOT NULL"),
    ),
    partial_index(
        "records_unconfirmed",
        "map",
        "unconfirmed",  # makes counting a matter of the index alone
        where=text("unconfirmed = 1"),
    ),
    partial_index(
        "records_state",
        "map",
        "number",
        where=text(NEEDS_A_PERSON),
    ),
    partial_index(
        "records_tombstones",
        "map",
        "number",
        where=text(TOMBSTONE),
    ),
)

waits = Table(
    "waits",
    metadata,
    Column("record", BigInteger, primary_key=True, autoincrement=False),
    Column("group_name", Text, primary_key=True),
    Column("side", Text, primary_key=True),
    Column("entity", Text, primary_key=True),
    Column("column_name", Text, primary_key=True),
    Column("value", Text, primary_key=True),
    Column("map", Text, nullable=False),
    Index("waits_target", "map", "side", "entity", "column_name", "value"),
)

conflicts = Table(
    "conflicts",
    metadata,
    Column("number", Number, primary_key=True),
    Column("record", BigInteger, nullable=False),
    Column("map", Text, nullable=False),
    Column("group_name", Text, nullable=False),
    Column("layout", Integer, nullable=False),
    Column("base", Text, nullable=False),
    Column("seen", Text, nullable=False),
    Column("run", BigInteger, nullable=False),
    Column("opened_at", Double, nullable=False),
    Column("closed_at", Double),
    Column("decision", Text),
    Column("decided_by", Text),
    Column("decided_at", Double),
    Column("revision", Integer, nullable=False, server_default="1"),
    Index("conflicts_record", "record"),
    partial_index(
        "conflicts_open",
        "map",
        "number",
        where=text("closed_at IS NULL"),
    ),
    sqlite_autoincrement=True,
)

# ---------------------------------------------------------------------------- audit

changes = Table(
    "changes",
    metadata,
    Column("number", Number, primary_key=True, autoincrement=False),
    Column("run", BigInteger, nullable=False),
    Column("batch", BigInteger),
    Column("at", Double, nullable=False),
    Column("map", Text, nullable=False),
    Column("record", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("side", Text, nullable=False),
    Column("target", Text),
    Column("expected", Text),
    Column("version", Text),
    Column("before", Text),
    Column("after", Text),
    Column("outcome", Text),
    Column("detail", Text),
    Column("agreed", Text),
    Index("changes_record", "record"),
    partial_index(
        "changes_intents",
        "map",
        "batch",
        where=text("outcome IS NULL"),
    ),
    partial_index(
        "changes_deletes",
        "map",
        "side",
        "at",
        where=text("kind = 'delete'"),
    ),
)

# ---------------------------------------------------------------------------- what is left

departed = Table(
    "departed",
    metadata,
    Column("map", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("record", BigInteger, primary_key=True, autoincrement=False),
    Column("at", Double, nullable=False),
    Index("departed_record", "record"),
)

forgotten = Table(
    "forgotten",
    metadata,
    Column("map", Text, primary_key=True),
    Column("hash", Text, primary_key=True),
    Column("record", BigInteger, primary_key=True, autoincrement=False),
    Column("at", Double, nullable=False),
)

secrets = Table(
    "secrets",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
)

# ---------------------------------------------------------------------------- alerts

incidents = Table(
    "incidents",
    metadata,
    Column("map", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("minute", Integer, primary_key=True, autoincrement=False),
    Column("count", Integer, nullable=False),
)

alerts = Table(
    "alerts",
    metadata,
    Column("map", Text, primary_key=True),
    Column("rule", Text, primary_key=True),
    Column("raised_at", Double, nullable=False),
)
