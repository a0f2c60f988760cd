"""The table of dual-write's validation codes is what `check` says."""

from __future__ import annotations

import re

from connector.mapping.checks.dual_write_codes import DUAL_WRITE_CODES, dual_write_codes
from tests.docs.test_reference import error_codes, sections


def test_the_table_is_what_check_says() -> None:
    text = sections("from-dual-write.md")["Validation codes"]
    rows = re.findall(r"^\| `(DIPV\d{4})` \| [^|]+ \| (.+) \|$", text, flags=re.MULTILINE)
    shown = {(ours, theirs) for theirs, cell in rows for ours in re.findall(r"`([^`]+)`", cell)}
    assert shown == {(ours, theirs) for ours, all in DUAL_WRITE_CODES.items() for theirs in all}


def test_every_code_of_dual_writes_validation_has_a_counterpart() -> None:
    """Its page leaves out 1009 and 1013; 1001 and 1006 are exceptions nobody foresaw."""
    known = {f"DIPV1{number:03}" for number in range(32)} - {"DIPV1009", "DIPV1013"}
    assert {code for codes in DUAL_WRITE_CODES.values() for code in codes} == known - {
        "DIPV1001",
        "DIPV1006",
    }


def test_our_codes_are_codes() -> None:
    assert set(DUAL_WRITE_CODES) <= set(error_codes())
    assert dual_write_codes("lease-held") == ()
