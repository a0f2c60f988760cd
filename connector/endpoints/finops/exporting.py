"""The export runs of each entity of one environment, put together.

Owns: asking Data management over the common transport; where a project's runs are kept.
Never does: what its parts do (`exports/`).
Tested in: tests/acceptance/test_finops_exports.py.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Mapping
from pathlib import Path

import orjson

from connector.endpoints.finops.exports.download import Downloads
from connector.endpoints.finops.exports.jobs import Answer, Denied, Jobs, Told, Unheard, Unsent
from connector.endpoints.finops.exports.journal import Journal
from connector.endpoints.finops.exports.package import Wanted
from connector.endpoints.finops.exports.runs import Clockwork, Runs
from connector.endpoints.odata_v4.tables import Table
from connector.endpoints.web.answers import Lost, Reply
from connector.endpoints.web.governor import Held
from connector.endpoints.web.transport import Transport
from connector.mapping.values import Value

_JSON = {"Content-Type": "application/json"}


class Exporting:
    """Runs of export projects. `folder` is where what they told is kept."""

    def __init__(
        self,
        transport: Transport,
        downloads: Downloads,
        folder: Path,
        company: str | None,
        clockwork: Clockwork,
    ) -> None:
        self._transport = transport
        self._downloads = downloads
        self._folder = folder
        self._company = company
        self._clockwork = clockwork
        self._lock = threading.Lock()
        self._runs: dict[tuple[str, str], Runs] = {}

    def runs(self, table: Table, project: str) -> Runs:
        """The runs of a project for one entity; raises `StateError` (`snapshot-unwritable`)."""
        with self._lock:
            known = self._runs.get((table.name, project))
            if known is None:
                known = self._runs[table.name, project] = self._made(table, project)
        return known

    def close(self) -> None:
        """Release connections."""
        self._downloads.close()

    def _made(self, table: Table, project: str) -> Runs:
        def id_for(key: Mapping[str, Value]) -> str:
            return table.id_of([key[field.name] for field in table.key])

        key = tuple(field.column for field in table.key)
        type_name = table.type_name.rpartition(".")[2]
        named = named_by(self._transport.base, self._company, table.name, project)
        folder = self._folder / f"exports-{named}"
        return Runs(
            Journal(folder),
            Jobs(self._ask, project, table.name, self._company),
            self._downloads,
            Wanted(project, table.name, type_name, key, self._company),
            id_for,
            folder,
            self._clockwork,
        )

    def _ask(self, action: str, body: Mapping[str, object]) -> Answer:
        match self._transport.send("POST", action, orjson.dumps(body), _JSON):
            case Reply(status) as reply if status < 300:
                try:
                    return Told(orjson.loads(reply.body)["value"])
                except (orjson.JSONDecodeError, KeyError, TypeError):
                    return Unheard("the answer is not the one of Data management")
            case Reply(status) as reply:
                text = str(self._transport.fault_of(reply))
                return Denied(status, text) if status < 500 else Unheard(text)
            case Lost(text):
                return Unheard(text)
            case Held(seconds):
                return Unsent(f"the service asks to wait {seconds:.0f} s")
            case never_sent:
                return Unsent(never_sent.text)


def named_by(base: str, company: str | None, *more: str) -> str:
    """What files of one environment and company are called by."""
    parts = (base.lower(), (company or "").lower(), *more)
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:16]
