"""The ways out that a person has for a record that was set aside, by the reason.

Owns: which ways a problem leaves, what each does, and the commands to type.
Never does: taking one (`mending.py` does).
Tested in: tests/acceptance/test_failures.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from connector.engine.news.twins import KEYLESS
from connector.store.record import Record

_OLD_KEY = "put the previous key back where it was changed"
WAYS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "key-changed": {
            "old-key": _OLD_KEY,
            "new-card": "the renamed row becomes a record of its own; the one it leaves counts as "
            "deleted there, and the map's delete policy applies",
            "rename": "the other side's row gets the new key too",
        },
        "key-missing": {"old-key": _OLD_KEY},
        "key-unusable": {"old-key": _OLD_KEY},
        "unstable": {
            "commerce": "commerce's value wins, and writes are counted anew",
            "dataverse": "Dataverse's value wins, and writes are counted anew",
        },
    }
)
"""By code of the problem: the words `failures resolve --with` takes, and what each does."""


def ways_of(record: Record) -> Mapping[str, str]:
    """The ways out of a record's problem; empty where only its cause can be mended."""
    ways = WAYS.get(record.problem.code, {}) if record.problem is not None else {}
    if record.key.startswith(KEYLESS):  # it never had a key that could be put back
        return {way: does for way, does in ways.items() if way != "old-key"}
    return ways


def known_ways() -> str:
    """All ways with the codes they are for, for a person who asked for another."""
    return "; ".join(f"{code}: {', '.join(ways)}" for code, ways in WAYS.items())
