"""What both sides said of a map's two tables when it last ran.

A migration is history: it spells every column itself and never reads `schema.py`.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make the table; what the sides said before is learnt when a map runs next."""
    op.create_table(
        "descriptions",
        sa.Column("map", sa.Text, primary_key=True),
        sa.Column("described", sa.Text, nullable=False),
    )


def downgrade() -> None:
    """Take the table back."""
    op.drop_table("descriptions")
