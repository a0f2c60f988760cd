"""What becomes of one request: an answer, or how it went missing, and what that means to a person.

Owns: the four ends of a request, the errors for those that are no answer, and what an answer tells
of the clock.
Never does: sending; reading a body.
Tested in: tests/unit/endpoints/web/test_transport.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import NamedTuple, TypeAlias

from connector.endpoints.web.faults import Fault
from connector.endpoints.web.governor import Held, Turn
from connector.endpoints.web.service import Naming, Service
from connector.errors import AccessError, Subject, UnreachableError

MAYBE_DONE = frozenset({408, 502, 504})
"""A gateway gave up waiting; the service behind it may have gone on."""


class Reply(NamedTuple):
    """A complete answer, whatever its status; header names in any case."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    sent_at: datetime
    received_at: datetime
    turn: Turn


class Lost(NamedTuple):
    """The request may have arrived, its answer did not."""

    text: str


class Unsent(NamedTuple):
    """No connection came about: the request certainly did not happen."""

    text: str


Answer: TypeAlias = Reply | Lost | Unsent | Held


def unreachable(
    naming: Naming, origin: str, attempts: int, answer: Lost | Unsent
) -> UnreachableError:
    """The error for an answer that did not come."""
    return UnreachableError(
        "unreachable",
        f"{origin} gives no answer",
        remedy=f"check {naming.section}.url, the network, and that the service is running",
        subject=Subject(side=naming.side),
        tried=f"up to {attempts} times",
        cause=answer.text,
    )


def unavailable(naming: Naming, origin: str, attempts: int, fault: Fault) -> UnreachableError:
    """The error for a service that stays busy or broken."""
    throttled = fault.status == 429
    when = f"in {fault.retry_after:.0f} s at the earliest" if fault.retry_after else "later"
    often = (
        f"lower {naming.section}.connections, or ask there for a higher priority"
        if throttled
        else "ask who runs it"
    )
    return UnreachableError(
        "throttled" if throttled else "unavailable",
        f"{origin} answers {fault.status}" + (": too many requests" if throttled else ""),
        remedy=f"try again {when}; nothing is lost; if it stays so, {often}",
        subject=Subject(side=naming.side),
        tried=f"up to {attempts} times",
        cause=str(fault),
    )


def not_taken(service: Service, scheme: str, method: str, reply: Reply, base: str) -> AccessError:
    """The error for a proof of who we are that is refused twice; `scheme` is its kind."""
    naming = service.naming
    if scheme == "Bearer":
        code, what, remedy = "token-refused", "our token", service.unknown_client
    elif scheme == "Basic":
        code, what = "password-refused", "our user name and password"
        remedy = f"check {naming.section}.username and {naming.section}.password"
    else:
        code, what = "sign-in-required", "requests of nobody"
        remedy = f"set {naming.section}.auth to the way it signs users in"
    return AccessError(
        code,
        f"{naming.title} does not take {what}",
        remedy=remedy,
        subject=Subject(side=naming.side),
        tried=f"{method} {base}",
        cause=reply.headers.get("WWW-Authenticate"),
    )


def clock_offset(reply: Reply) -> timedelta:
    """The service's clock minus ours, halfway through the request; zero without a readable Date.

    The header cuts to whole seconds, so half a second is added on average. It is always GMT
    (RFC 9110, section 5.6.7), also where a proxy writes the zone in another way.
    """
    try:
        told = parsedate_to_datetime(reply.headers.get("Date", ""))
    except ValueError:
        return timedelta(0)
    remote = told.replace(tzinfo=UTC) + timedelta(milliseconds=500)
    return remote - (reply.sent_at + (reply.received_at - reply.sent_at) / 2)
