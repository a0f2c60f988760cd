"""One system as the transport sees it: how it is called, where it answers, what its refusals mean.

Owns: the values an endpoint hands to this room, so that nothing here knows a system.
Never does: anything; these are values and functions of the endpoint.
Tested in: tests/unit/endpoints/web/test_transport.py.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from connector.endpoints.web.faults import Fault
from connector.endpoints.web.limits import Refusal

FaultOf: TypeAlias = Callable[[int, Mapping[str, str], bytes, str | None], Fault]
"""A refusal out of status, headers (looked up in lower case), body and the date around a part."""


@dataclass(frozen=True, slots=True)
class Naming:
    """How a system is called when something is said about it."""

    side: str
    """In the subjects of errors and in log lines."""
    section: str
    """The config section whose keys a remedy names."""
    title: str
    """At the beginning of a sentence."""
    kind: str
    """What stands behind the URL: an organization, an environment, a service."""
    whole: str
    """Title and kind, after "this"."""
    example: str
    """What a URL of it looks like."""

    @property
    def subject(self) -> str:
        """The title within a sentence."""
        return self.title.replace("The ", "the ", 1)


@dataclass(frozen=True, slots=True)
class Service:
    """One system behind HTTPS."""

    naming: Naming
    path: str
    """Where its API begins, from slash to slash."""
    headers: Mapping[str, str]
    """Sent with every request."""
    fault_of: FaultOf
    refusal_of: Callable[[Fault], Refusal | None]
    """What a fault says about limits; None for any other fault."""
    unknown_client: str
    """What to do where a token of ours is not taken."""
    busy_codes: frozenset[str] = field(default_factory=frozenset)
    """Codes of statements that were rolled back or never begun; the same one may pass later."""
    hint_header: str = ""
    """The header with the parallelism the service recommends, if there is one."""
