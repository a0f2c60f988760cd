"""What a map said when it last ran, and which groups of a record meet anew since it changed.

A migration is history: it spells every column itself and never reads `schema.py`.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

ADDED = {"maps": "document", "records": "anew"}


def upgrade() -> None:
    """Add the columns; what a map said before is learnt when it runs unchanged."""
    for table, name in ADDED.items():
        op.add_column(table, sa.Column(name, sa.Text))


def downgrade() -> None:
    """Take the columns back."""
    for table, name in ADDED.items():
        op.drop_column(table, name)
