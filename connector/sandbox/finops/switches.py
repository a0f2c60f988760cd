"""The switches for tests of this side: what can be changed while it runs.

Owns: their names under `/sandbox/` of this side's address, their JSON, what each of them sets.
Never does: carrying it out, HTTP (`face.py`).
Tested in: tests/integration/sandbox/finops/test_faults.py and those of what is switched.

They are no part of the service, so they ask for no token, and a reset undoes all of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from connector.sandbox.courier import Disorder
from connector.sandbox.faults import Faults, parse_fault
from connector.sandbox.finops.events import parse_listener
from connector.sandbox.finops.executions import Trouble
from connector.sandbox.finops.projects import Tracking, entity_named, parse_project
from connector.sandbox.finops.queries import PAGE_SIZE
from connector.sandbox.finops.recurring import parse_job
from connector.sandbox.finops.rules import Rule
from connector.sandbox.finops.seed import SAMPLE_CARDS
from connector.sandbox.finops.service import Service
from connector.sandbox.switching import DAY_SECONDS, OK, Act, Json


def _taking(act: Act, *keys: str) -> Act:
    """The same, which refuses keys it would not look at."""

    def checked(method: str, value: Json) -> Json:
        unknown = value.keys() - set(keys)
        if unknown:
            raise ValueError(f"no {', '.join(sorted(unknown))} here, but {', '.join(keys)}")
        return act(method, value)

    return checked


class Switches:
    """The switches of one environment."""

    def __init__(self, service: Service, faults: Faults) -> None:
        self._service = service
        self._faults = faults
        self.acts: Mapping[str, tuple[Act, list[str]]] = {
            "reset": (_taking(self._reset, "data"), ["POST"]),
            "samples": (_taking(self._samples, "cards"), ["POST"]),
            "faults": (self._fault, ["POST", "DELETE"]),
            "rules": (self._rule, ["POST", "DELETE"]),
            "references": (_taking(self._references, "complete"), ["POST"]),
            "paging": (_taking(self._paging, "size"), ["POST"]),
            "metadata": (_taking(self._metadata, "megabytes"), ["POST"]),
            "users": (self._user, ["POST"]),
            "projects": (self._project, ["POST"]),
            "tracking": (_taking(self._tracking, "entity", "mode"), ["POST"]),
            "runs": (self._runs, ["POST"]),
            "jobs": (self._job, ["POST"]),
            "listeners": (self._listener, ["POST", "DELETE"]),
            "events": (self._events, ["GET", "POST"]),
            "clock": (_taking(self._clock, "days", "seconds"), ["GET", "POST"]),
            "requests": (self._requests, ["GET"]),
        }

    def _reset(self, _method: str, value: Json) -> Json:
        """Disarm everything and forget the counts; `{"data": false}` keeps the rows."""
        self._faults.clear()
        self._faults.requests.clear()
        self._faults.met.clear()
        service = self._service
        service.writes.rules.clear()
        service.writes.references.complete = False
        service.queries.page_size = PAGE_SIZE
        service.metadata.pad = 0.0
        service.people.clear()
        service.events.clear()
        service.recurring.clear()
        service.data_management.executions.clear()
        service.data_management.nested = service.data_management.plain_http = False
        service.storage.clock.ahead = 0.0
        if value.get("data", True):
            service.reset()
        return OK

    def _samples(self, _method: str, value: Json) -> Json:
        self._service.add_samples(int(value.get("cards", SAMPLE_CARDS)))
        return OK

    def _fault(self, method: str, value: Json) -> Json:
        if method == "DELETE":
            self._faults.clear()
        else:
            self._faults.add(parse_fault(value))
        return OK

    def _rule(self, method: str, value: Json) -> Json:
        """Writes that the application refuses."""
        if method == "DELETE":
            self._service.writes.rules.clear()
        else:
            self._service.writes.rules.add(Rule(**value))
        return OK

    def _references(self, _method: str, value: Json) -> Json:
        """Whether a missing row that a reference names is made on the spot."""
        self._service.writes.references.complete = bool(value["complete"])
        return OK

    def _paging(self, _method: str, value: Json) -> Json:
        size = int(value["size"])
        if not 0 < size <= PAGE_SIZE:
            raise ValueError(f"size: from 1 to {PAGE_SIZE}")
        self._service.queries.page_size = size
        return OK

    def _metadata(self, _method: str, value: Json) -> Json:
        """How many megabytes of other entities `$metadata` has."""
        self._service.metadata.pad = float(value["megabytes"])
        return OK

    def _user(self, _method: str, value: Json) -> Json:
        """Map an application to a user, change its companies, or end the mapping."""
        changes = {name: given for name, given in value.items() if name != "user"}
        self._service.people.map(value["user"], **changes)
        return OK

    def _project(self, _method: str, value: Json) -> Json:
        """Make a data project, as an administrator does by hand."""
        self._service.data_management.projects.put(parse_project(value))
        return OK

    def _tracking(self, _method: str, value: Json) -> Json:
        """Change tracking of an entity: of its primary table, of the entire entity, or none."""
        mode = value["mode"]
        entity = entity_named(value["entity"])
        projects = self._service.data_management.projects
        projects.track(entity, None if mode is None else Tracking(mode))
        return OK

    def _runs(self, _method: str, value: Json) -> Json:
        """How long runs take, what becomes of the next ones, how addresses are answered."""
        management = self._service.data_management
        management.nested = bool(value.pop("nested", management.nested))
        management.plain_http = bool(value.pop("plain_http", management.plain_http))
        if "count" in value:
            management.executions.trouble(Trouble(**value))
        elif value:
            management.executions.seconds = float(value.pop("seconds"))
            if value:
                raise ValueError(f"without count: {', '.join(value)}")
        return OK

    def _job(self, _method: str, value: Json) -> Json:
        """A data job of recurring integrations, or one run of it."""
        if "run" in value:
            self._service.recurring.run_job(value["run"])
        else:
            self._service.recurring.add_job(*parse_job(value))
        return OK

    def _listener(self, method: str, value: Json) -> Json:
        """Somebody who is told of writes; DELETE ends all."""
        if method == "DELETE":
            self._service.events.clear()
        else:
            self._service.events.listen(parse_listener(value))
        return OK

    def _events(self, method: str, value: Json) -> Json:
        """Lose, double or hold back events, send failed ones again; and what became of them."""
        courier = self._service.events.courier
        if method == "POST":
            if value.pop("resend", False):
                courier.resend()
            if "ca" in value:
                courier.ca = Path(value.pop("ca"))
            if "retry_seconds" in value:
                seconds = float(value.pop("retry_seconds"))
                courier.persistence = replace(courier.persistence, seconds=seconds)
            if value:
                courier.disturb(Disorder(**value))
        return courier.counts()

    def _clock(self, method: str, value: Json) -> Json:
        """Put the clock forward; and by how many seconds it is ahead."""
        clock = self._service.storage.clock
        if method == "POST":
            days, seconds = value.get("days", 0), value.get("seconds", 0)
            clock.ahead = float(days) * DAY_SECONDS + float(seconds)
        return {"ahead": clock.ahead}

    def _requests(self, _method: str, _value: Json) -> Json:
        counts = self._faults.requests
        kinds = dict(sorted(counts.items()))
        return {
            "total": counts.total(),
            "kinds": kinds,
            "faults": dict(self._faults.met),
            "under_way": self._faults.under_way,
        }
