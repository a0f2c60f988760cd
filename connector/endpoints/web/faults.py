"""What a service says when it refuses, as one value.

Owns: the value, and reading Retry-After.
Never does: knowing a service's codes (each endpoint's own matter); deciding to try again.
Tested in: tests/unit/endpoints/web/test_transport.py,
tests/unit/endpoints/dataverse/test_faults.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime


@dataclass(frozen=True, slots=True)
class Fault:
    """One refusal. `code` is as the service spells it, or empty; `retry_after` in seconds."""

    status: int
    code: str
    message: str
    request_id: str | None = None
    retry_after: float | None = None

    def __str__(self) -> str:
        named = f" (request {self.request_id})" if self.request_id else ""
        return f"HTTP {self.status} {self.code} {self.message}".rstrip() + named


def retry_after(headers: Mapping[str, str], date: str | None = None) -> float | None:
    """A Retry-After in seconds: a number, or a date less the date of the answer itself.

    Both are the service's (RFC 9110, section 10.2.3), so that our clock does not matter. None
    for anything else, as for a date without a date to compare it with. Header names are looked up
    in lower case, as batch parts carry them; `date` is that of the answer around a part.
    """
    text = headers.get("retry-after")
    if text is None or text.strip().isdigit():
        return None if text is None else float(text)
    try:
        wait = parsedate_to_datetime(text) - parsedate_to_datetime(
            headers.get("date") or date or ""
        )
    except (ValueError, TypeError):
        return None
    return max(0.0, wait.total_seconds())
