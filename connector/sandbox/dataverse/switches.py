"""The switches for tests: what can be changed while the sandbox runs.

Owns: their names under `/sandbox/`, their JSON, and what each of them sets.
Never does: carrying it out (`faults.py`, `limits.py`, `service.py`, `courier.py`), HTTP (`app.py`).
Tested in: tests/integration/sandbox/test_faults.py, test_limits.py, test_webhooks.py.

They are no part of the service, so they ask for no token, and a reset undoes all of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from connector.sandbox.courier import Disorder
from connector.sandbox.dataverse.limits import Limits, Protection, limits_of
from connector.sandbox.dataverse.service import Service
from connector.sandbox.faults import Faults, parse_fault
from connector.sandbox.switching import DAY_SECONDS, OK, Act, Json


class Switches:
    """The switches of one sandbox; `limits` are those it was started with."""

    def __init__(
        self, service: Service, faults: Faults, protection: Protection, limits: Limits
    ) -> None:
        self._service = service
        self._faults = faults
        self._protection = protection
        self._limits = limits
        self.acts: Mapping[str, tuple[Act, list[str]]] = {
            "reset": (self._reset, ["POST"]),
            "faults": (self._fault, ["POST", "DELETE"]),
            "limits": (self._limit, ["GET", "POST"]),
            "webhooks": (self._disturb, ["GET", "POST"]),
            "columns": (self._column, ["POST"]),
            "roles": (self._role, ["POST"]),
            "clock": (self._clock, ["GET", "POST"]),
            "expire-tokens": (self._expire, ["POST"]),
            "requests": (self._requests, ["GET"]),
        }

    def _reset(self, _method: str, value: Json) -> Json:
        """Disarm everything and forget the counts; `{"data": false}` keeps the rows."""
        self._faults.clear()
        self._faults.requests.clear()
        self._faults.met.clear()
        self._protection.use(self._limits)
        self._service.keep_everything()
        self._service.courier.clear()
        self._service.storage.clock.ahead = 0.0
        if value.get("data", True):
            self._service.reset()
        return OK

    def _fault(self, method: str, value: Json) -> Json:
        if method == "DELETE":
            self._faults.clear()
        else:
            self._faults.add(parse_fault(value))
        return OK

    def _limit(self, method: str, value: Json) -> Json:
        """Other limits from now on, with empty windows; and what they are."""
        if method == "POST":
            numbers = {name: number for name, number in value.items() if name != "profile"}
            self._protection.use(limits_of(value.get("profile", "fast"), numbers))
        return asdict(self._protection.limits)

    def _disturb(self, method: str, value: Json) -> Json:
        """Lose or hold back notifications, trust another CA; and what became of them."""
        courier = self._service.courier
        if method == "POST":
            if "ca" in value:
                courier.ca = Path(value["ca"])
            courier.disturb(Disorder(**{k: v for k, v in value.items() if k != "ca"}))
        return courier.counts()

    def _column(self, _method: str, value: Json) -> Json:
        """A column keeps less than it is sent, or stands under column security."""
        if "secured" in value:
            self._service.secure(value["table"], value["column"], bool(value["secured"]))
        else:
            self._service.lose(value)
        return OK

    def _role(self, _method: str, value: Json) -> Json:
        self._service.change_roles(value)
        return OK

    def _clock(self, method: str, value: Json) -> Json:
        """Put the organization's clock forward; and by how many seconds it is ahead."""
        clock = self._service.storage.clock
        if method == "POST":
            days, seconds = value.get("days", 0), value.get("seconds", 0)
            clock.ahead = float(days) * DAY_SECONDS + float(seconds)
        return {"ahead": clock.ahead}

    def _expire(self, _method: str, _value: Json) -> Json:
        self._service.expire_delta_tokens()
        return OK

    def _requests(self, _method: str, _value: Json) -> Json:
        counts = self._faults.requests
        kinds = dict(sorted(counts.items()))
        return {
            "total": counts.total(),
            "kinds": kinds,
            "faults": dict(self._faults.met),
            "under_way": self._faults.under_way,
        }
