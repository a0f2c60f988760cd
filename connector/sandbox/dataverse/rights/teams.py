"""Teams: what may own rows beside users.

Owns: their tables, and which of users and teams can own a row.
Never does: what a role grants (`privileges.py`).
Tested in: tests/integration/sandbox/test_owners.py.

Facts: "Dataverse: reference/entities/team" (every business unit has a default team, of type owner;
an access team owns nothing), "security-sharing-assigning" (an owner can read what it owns).
"""

from __future__ import annotations

from connector.sandbox.dataverse.definitions.tables import Column, Kind, table

OWNER_TEAM, ACCESS_TEAM = 0, 1
TEAM_TYPES = {
    OWNER_TEAM: "Owner",
    ACCESS_TEAM: "Access",
    2: "Security Group",
    3: "Office Group",
}

TEAM = table(
    "Team",
    "teams",
    "Team",
    "Teams",
    "name",
    [
        Column("Name", Kind.STRING, "Team Name", 160, required="SystemRequired"),
        Column("Description", Kind.MEMO, "Description", 2000),
        Column(
            "TeamType",
            Kind.PICKLIST,
            "Team Type",
            options=TEAM_TYPES,
            default=OWNER_TEAM,
            updatable=False,
        ),
        Column(
            "IsDefault",
            Kind.BOOLEAN,
            "Is Default",
            options={0: "No", 1: "Yes"},
            default=0,
            creatable=False,
            updatable=False,
        ),
        Column("BusinessUnitId", Kind.LOOKUP, "Business Unit", target="businessunit"),
    ],
    user_owned=False,
)

TEAM_ROLE = table(
    "TeamRoles",
    "teamrolescollection",
    "Team Role",
    "Team Roles",
    "teamroleid",
    [Column("TeamId", Kind.GUID, "Team"), Column("RoleId", Kind.GUID, "Role")],
    user_owned=False,
    operations=(),
)

TEAM_TABLES = (TEAM, TEAM_ROLE)


def owner_named(url: str) -> str:
    """The table of the owner a URL names: a team, else a user."""
    return TEAM.name if f"{TEAM.set_name}(" in url else "systemuser"
