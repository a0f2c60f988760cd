"""The validation codes of dual-write that say what our findings say.

Owns: which codes of dual-write (DIPV…) stand beside which of ours, for people who know theirs.
Never does: finding anything.
Tested in: tests/docs/test_dual_write_codes.py, which holds docs/from-dual-write.md to this.
"""

from __future__ import annotations

from collections.abc import Mapping

DUAL_WRITE_CODES: Mapping[str, tuple[str, ...]] = {
    "alternate-key-missing": ("DIPV1003",),
    "change-tracking-off": ("DIPV1019",),
    "column-read-only": ("DIPV1011",),
    "column-required": ("DIPV1010",),
    "column-twice": ("DIPV1023", "DIPV1026", "DIPV1029"),
    "column-two-maps": ("DIPV1029",),
    "column-unknown": ("DIPV1022", "DIPV1025"),
    "company-one-sided": ("DIPV1002", "DIPV1008", "DIPV1016", "DIPV1017"),
    "config-invalid": ("DIPV1005", "DIPV1007"),
    "entity-unknown": ("DIPV1018", "DIPV1020"),
    "filter-syntax": ("DIPV1012",),
    "filter-type": ("DIPV1012",),
    "filter-unsupported": ("DIPV1012",),
    "key-incomplete": ("DIPV1014",),
    "key-none": ("DIPV1003",),
    "key-one-way": ("DIPV1004",),
    "key-type": ("DIPV1030",),
    "key-without-company": ("DIPV1014",),
    "ledger-unreachable": ("DIPV1000",),
    "lookup-key-missing": ("DIPV1015", "DIPV1027", "DIPV1028"),
    "lookup-no-text": ("DIPV1027", "DIPV1028"),
    "preconditions-none": ("DIPV1019",),
    "required-from-empty": ("DIPV1031",),
    "row-without-column": ("DIPV1021", "DIPV1024"),
    "type-mismatch": ("DIPV1030",),
    "unreachable": ("DIPV1000",),
}
"""Our code to those of dual-write. DIPV1001 and DIPV1006, an exception nobody expected, have none:
such an exception ends the command with exit code 1 and says what happened."""


def dual_write_codes(code: str) -> tuple[str, ...]:
    """The codes of dual-write beside one of ours, mostly none."""
    return DUAL_WRITE_CODES.get(code, ())
