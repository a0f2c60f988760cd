"""The clients a sandbox knows: who they stand for, and their ids.

Owns: client ids, names, first roles.
Never does: secrets and tokens (`tokens.py`), what a role allows (`dataverse/rights/privileges.py`).
Tested in: tests/integration/sandbox/test_privileges.py, test_tokens.py.
"""

from __future__ import annotations

from connector.sandbox.dataverse.rights.privileges import ADMINISTRATOR, AGENT
from connector.sandbox.dataverse.standard.seed import Member

TENANT = "6f1d0a52-5c1e-4b0e-9a55-2f6d7f0c8a11"
CLIENT_ID = "0b8e2f34-7d5b-4a49-8f0b-3c9a1e6d2f70"
"""The connector's own application user."""
AGENT_CLIENT_ID = "a6e47000-3b52-4c0e-9e0b-7f1e2d3c4b5a"
"""A user whose edits stand for those of a person."""
OUTSIDER_CLIENT_ID = "00751de0-1f2e-4d3c-8b4a-5968778695a4"
"""Registered in the directory, but no user of the organization."""

CONNECTOR = "connector"
OUTSIDER = "outsider"
MEMBERS = (
    Member(CONNECTOR, CLIENT_ID, "# dualwrite connector", ADMINISTRATOR),
    Member("agent", AGENT_CLIENT_ID, "Avery Agent", AGENT, person=True),
    # Further application users, for clients that spread their load over several.
    Member("second", "2ec0d000-52a1-4f6e-8a3d-0c6b7f9e1d22", "# dualwrite second", ADMINISTRATOR),
    Member("third", "731fd000-9b1c-4e57-b6f0-5d2a8c4e7f33", "# dualwrite third", ADMINISTRATOR),
    Member("roleless", "0f01e000-6c3d-4b2a-9e8f-1a7d5c3b9e44", "# dualwrite without a role", None),
)
CLIENTS = {**{member.short: member.client_id for member in MEMBERS}, OUTSIDER: OUTSIDER_CLIENT_ID}
"""Client ids by short name."""
