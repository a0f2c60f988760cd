"""What stands in front of an endpoint hands on unchanged.

Owns: the calls that ask a side nothing, or that no stand-in has anything to add to.
Never does: a call of the protocol that reads or writes; each stand-in has its own way with those.
Tested in: tests/integration/engine/test_companies.py, tests/integration/engine/test_lease.py.
"""

from __future__ import annotations

from collections.abc import Mapping

from connector.endpoints.base import Endpoint, Pace, Throttling
from connector.mapping.values import Value


class Forwarding:
    """See `connector.endpoints.base.Endpoint`."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint

    def id_for(self, entity: str, values: Mapping[str, Value], proposed: str) -> str:
        """The id a create will have."""
        return self._endpoint.id_for(entity, values, proposed)

    def newer(self, a: str, b: str) -> bool | None:
        """Whether one version is newer."""
        return self._endpoint.newer(a, b)

    def throttling(self) -> Throttling:
        """What was counted so far."""
        return self._endpoint.throttling()

    def pace(self, entity: str) -> Pace:
        """How writes are taken at present."""
        return self._endpoint.pace(entity)

    def close(self) -> None:
        """Release connections."""
        self._endpoint.close()
