"""In what manner a system is looked at: by a command, by live mode, or as a rehearsal.

Owns: the three manners.
Never does: deciding what one means for a system; each endpoint knows what a look costs there.
Tested in: tests/unit/endpoints/test_looks.py.
"""

from __future__ import annotations

from enum import StrEnum


class Manner(StrEnum):
    """Who looks."""

    COMMAND = "command"
    """A command: it looks each time it asks, and waits for what takes its time."""
    LIVE = "live"
    """Live mode: it asks after every wake-up, and other maps wait behind this one."""
    REHEARSAL = "rehearsal"
    """A dry run: nothing may be different afterwards, on either side."""
