"""The service: from a request to its answer.

Owns: which resource a path means, transactions, turning refusals into answers.
Never does: sockets, tokens, faults (`face.py`).
Tested in: tests/integration/sandbox/finops/test_reads.py, test_errors.py.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from connector.odata.paths import Segment
from connector.sandbox.finops import errors, seed
from connector.sandbox.finops.actions import DEFINITION_GROUPS
from connector.sandbox.finops.batch import run_batch
from connector.sandbox.finops.catalog import BY_SET
from connector.sandbox.finops.data_management import DataManagement
from connector.sandbox.finops.entities import Entity
from connector.sandbox.finops.events import Events
from connector.sandbox.finops.messages import Request
from connector.sandbox.finops.metadata import Metadata
from connector.sandbox.finops.options import parse_options
from connector.sandbox.finops.people import People
from connector.sandbox.finops.queries import Queries
from connector.sandbox.finops.recurring import ROOT as CONNECTOR
from connector.sandbox.finops.recurring import Recurring
from connector.sandbox.finops.routes import segments_of
from connector.sandbox.finops.storage import Storage
from connector.sandbox.finops.writes import Writes
from connector.sandbox.messages import Response


class Service:
    """One environment, open in one folder.

    `samples` puts cards into a new one; `event_ca` is a PEM file with the CAs of https listeners.
    """

    def __init__(
        self, folder: Path, *, samples: bool = False, event_ca: Path | None = None
    ) -> None:
        self.storage = Storage(folder)
        self.people = People()
        self.queries = Queries(self.storage)
        self.writes = Writes(self.storage)
        self.metadata = Metadata()
        self.events = Events(self.storage, event_ca)
        self.data_management = DataManagement(folder, self.storage, self.writes)
        self.recurring = Recurring(self.storage, self.data_management)
        if self.storage.fresh:
            with self.storage.transaction():
                seed.masters(self.writes)
                if samples:
                    seed.samples(self.writes)

    def run(self, request: Request) -> Response:
        """The answer to one request; what it writes is committed or nothing is."""
        try:
            if not request.user.rights:
                raise errors.denied(f"{request.user.name} has no role")
            if request.base.endswith(CONNECTOR):
                with self.storage.transaction():
                    return self.recurring.handle(request)
            if request.path.strip("/") == "$batch" and request.method == "POST":
                return run_batch(request, self._handle, self.storage)
            if request.method == "GET":
                return self._handle(request)
            with self.storage.transaction():
                return self._handle(request)
        except errors.AxError as error:
            return error.response()
        finally:
            self.events.tell(self.storage.happenings.take())

    # ------------------------------------------------------------------------ switches

    def reset(self) -> None:
        """Empty the environment; the master data are written again, cards are not."""
        with self.storage.transaction():
            self.storage.clear()
            self.data_management.clear()
            seed.masters(self.writes)
        self.storage.happenings.take()

    def add_samples(self, cards: int) -> None:
        """Sample cards and point kinds, as in a new environment."""
        with self.storage.transaction():
            seed.samples(self.writes, cards)
        self.storage.happenings.take()

    def close(self) -> None:
        """Release the folder."""
        self.storage.close()

    # ------------------------------------------------------------------------ paths

    def _handle(self, request: Request) -> Response:
        segments = segments_of(request.path, request.url)
        if not segments:
            return self._only_get(request, self.metadata.service_document)
        first, *rest = segments
        if first.name == "$metadata" and not rest:
            return self._only_get(request, lambda _: self.metadata.csdl())
        if first.name == DEFINITION_GROUPS and first.keys is None:
            return self.data_management.handle([one.name for one in rest], request)
        entity = BY_SET.get(first.name)
        if entity is None:
            raise errors.no_such_resource(request.url)
        if first.keys is not None or first.guid is not None:
            return self._row(entity, first, rest, request)
        return self._collection(entity, [one.name for one in rest], request)

    @staticmethod
    def _only_get(request: Request, answer: Any) -> Response:
        if request.method != "GET":
            raise errors.not_allowed(request.method)
        found: Response = answer(request)
        return found

    def _collection(self, entity: Entity, rest: list[str], request: Request) -> Response:
        options = parse_options(request.query)
        if rest not in ([], ["$count"]):
            raise errors.no_such_resource(request.url)
        if request.method == "GET":
            read = self.queries.count if rest else self.queries.page
            return read(entity, request, options)
        if request.method == "POST" and not rest:
            return self.writes.create(entity, request, options)
        raise errors.not_allowed(request.method)

    def _row(
        self, entity: Entity, segment: Segment, rest: list[Segment], request: Request
    ) -> Response:
        options = parse_options(request.query)
        if rest:
            if len(rest) > 1 or request.method != "GET":
                raise errors.no_such_resource(request.url)
            return self.queries.property(entity, segment, rest[0].name, request, options)
        if request.method == "GET":
            return self.queries.single(entity, segment, request, options)
        if request.method in ("PATCH", "PUT"):
            return self.writes.update(entity, segment, request, options)
        if request.method == "DELETE":
            return self.writes.delete(entity, segment, request, options)
        raise errors.not_allowed(request.method)
