"""Time zones of users: formatted values and relative dates are in theirs.

Owns: the numbers the platform has for time zones, the table with a user's settings.
Never does: formatting (`reading/projections.py`), relative dates (`reading/periods.py`). Stored
values are UTC.
Tested in: tests/integration/sandbox/test_zones.py.

Facts: "Dataverse: reference/entities/usersettings" (TimeZoneCode), "timezonedefinition". The
numbers that are not listed here are refused; a user begins with UTC.
"""

from __future__ import annotations

from datetime import UTC, tzinfo
from zoneinfo import ZoneInfo

from connector.sandbox.dataverse import errors
from connector.sandbox.dataverse.definitions.tables import Column, Kind, table
from connector.sandbox.dataverse.storage import Storage
from connector.sandbox.dataverse.writing.payloads import Values

UTC_CODE = 92
ZONES = {
    2: "Pacific/Honolulu",
    3: "America/Anchorage",
    4: "America/Los_Angeles",
    10: "America/Denver",
    15: "America/Phoenix",
    20: "America/Chicago",
    35: "America/New_York",
    50: "America/Halifax",
    65: "America/Sao_Paulo",
    85: "Europe/London",
    UTC_CODE: "UTC",
    95: "Europe/Budapest",
    100: "Europe/Warsaw",
    105: "Europe/Copenhagen",
    110: "Europe/Berlin",
    120: "Africa/Cairo",
    125: "Europe/Helsinki",
    130: "Europe/Athens",
    140: "Africa/Johannesburg",
    165: "Asia/Dubai",
    190: "Asia/Kolkata",
    210: "Asia/Shanghai",
    215: "Asia/Singapore",
    235: "Asia/Tokyo",
    255: "Australia/Sydney",
    290: "Pacific/Auckland",
}
"""IANA names by the platform's number."""

USER_SETTINGS = table(
    "UserSettings",
    "usersettingscollection",
    "User Settings",
    "User Settings",
    "systemuserid",
    [Column("TimeZoneCode", Kind.INTEGER, "User's time zone", minimum=0)],
    user_owned=False,
    operations=("update",),
    id_schema_name="SystemUserId",
)


class Zones:
    """The time zones of one organization's users."""

    def __init__(self, storage: Storage) -> None:
        self._execute = storage.connection.execute

    def of(self, user: str | None) -> tzinfo:
        """The time zone of a user; UTC for nobody in particular."""
        row = self._execute(
            f'SELECT timezonecode FROM "{USER_SETTINGS.name}" WHERE systemuserid = ?', (user,)
        ).fetchone()
        name = ZONES.get(row[0], "UTC") if row else "UTC"
        return UTC if name == "UTC" else ZoneInfo(name)


def check_settings(values: Values) -> None:
    """Raises `WireError` for a time zone that is not known."""
    code = values.get("timezonecode", UTC_CODE)
    if code not in ZONES:
        raise errors.bad_request(f"The time zone code {code} is not valid.", "0x80040203")
