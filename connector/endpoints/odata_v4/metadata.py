"""`$metadata`, read once and kept as a digest on disk.

Owns: fetching it, asking again only when it may have changed, and finding one entity set in it.
Never does: deciding what a column means to us (`dialect.py`).
Tested in: tests/unit/endpoints/odata_v4/test_metadata.py.

Facts: "Finance and Operations: odata" (tens of megabytes). The digest has one line of JSON for
each type and an index of where they begin, so that a process reads the few it needs. What a
service says of ETags decides first, then whether the bytes are the same.
"""

from __future__ import annotations

import hashlib
import io
import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import orjson

from connector.endpoints.odata_v4.faults import entity_unknown, refused, unreadable
from connector.endpoints.snapshots import writing
from connector.endpoints.web.transport import Transport
from connector.odata.csdl import EntitySet, EnumType, Property, stream_csdl
from connector.odata.malformed import MalformedError

URL = "$metadata"
LIFE = 3600.0
"""Seconds for which a digest is taken for the truth without asking."""
TIMEOUT = 300.0
"""Seconds the document may take: a service that was just started builds it first."""
VERSIONED = "Org.OData.Core.V1.OptimisticConcurrency"
FORM = 1
"""Of the digest; another one is not read."""

_LOG = logging.getLogger(__name__)


class Described(NamedTuple):
    """One entity set: all its columns with those it inherits, and the enumerations they are of."""

    type_name: str
    key: tuple[str, ...]
    properties: Mapping[str, Property]
    enums: Mapping[str, EnumType]
    versioned: bool


class Metadata:
    """The description of one service; safe from several threads.

    `folder` is shared by processes; None keeps nothing behind this one. `clock` gives seconds.
    """

    def __init__(
        self,
        transport: Transport,
        folder: Path | None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._transport = transport
        self._temporary = TemporaryDirectory("dualwrite") if folder is None else None
        self._folder = Path(self._temporary.name) if self._temporary else Path(folder or "")
        self._clock = clock
        self._lock = threading.Lock()
        self._digest: _Digest | None = None
        self._asked = False

    def describe(self, entity: str) -> Described:
        """One entity set.

        Raises `MapError` (`entity-unknown`), `UnreachableError`, `AccessError`, and `StateError`
        (`snapshot-unwritable`).
        """
        with self._lock:
            if self._digest is None:
                self._digest = self._kept() or self._fetched()
            if entity not in self._digest.sets and not self._asked:
                self._digest = self._fetched()  # it may have been published since
            digest = self._digest
        if entity not in digest.sets:
            raise entity_unknown(self._transport.naming, entity, digest.sets)
        return digest.describe(entity)

    def close(self) -> None:
        """Remove what was kept for this process only."""
        if self._temporary is not None:
            self._temporary.cleanup()

    # ------------------------------------------------------------------------ keeping

    def _kept(self) -> _Digest | None:
        """The digest on disk while it is young."""
        state = self._state()
        if state is None or not 0 <= self._clock() - state["asked_at"] < LIFE:
            return None
        return self._opened(state)

    def _state(self) -> dict[str, Any] | None:
        try:
            state = orjson.loads((self._folder / "state.json").read_bytes())
            good = state["form"] == FORM and {"asked_at", "hash", "etag"} <= state.keys()
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return state if good else None

    def _opened(self, state: Mapping[str, Any]) -> _Digest | None:
        try:
            return _Digest(self._folder, state["hash"])
        except (OSError, ValueError, KeyError):
            return None

    def _fetched(self) -> _Digest:
        """Ask the service; what has not changed is not read again."""
        state = self._state()
        known = None if state is None else self._opened(state)
        headers = {"Accept": "application/xml"}
        if known is not None and state is not None and state["etag"]:
            headers["If-None-Match"] = state["etag"]
        reply = self._transport.get(URL, headers=headers, timeout=TIMEOUT)
        self._asked = True
        if reply.status == 304 and known is not None and state is not None:
            self._remember(state["hash"], state["etag"])
            return known
        if reply.status != 200:
            fault = self._transport.fault_of(reply)
            raise refused(self._transport.naming, fault, None, f"GET {URL}")
        digest = hashlib.sha256(reply.body).hexdigest()[:32]
        if known is None or state is None or state["hash"] != digest:
            try:
                with writing(self._folder):
                    self._folder.mkdir(parents=True, exist_ok=True)
                    known = _Digest.write(self._folder, digest, reply.body)
            except MalformedError as error:
                raise unreadable(self._transport.naming, None, f"GET {URL}", error) from error
            _LOG.info("%s: read the description anew", self._transport.naming.side)
        self._remember(digest, reply.headers.get("ETag", ""))
        return known

    def _remember(self, digest: str, etag: str) -> None:
        state = {"form": FORM, "hash": digest, "etag": etag, "asked_at": self._clock()}
        with writing(self._folder):
            _replace(self._folder / "state.json", orjson.dumps(state))
            self._tidy(digest)

    def _tidy(self, digest: str) -> None:
        """Remove digests of documents that are not the service's any more."""
        for path in self._folder.glob("*-*.json*"):
            if digest not in path.name and time.time() - path.stat().st_mtime > LIFE:
                path.unlink(missing_ok=True)


class _Digest:
    """One document on disk: an index, and a line for each type."""

    def __init__(self, folder: Path, name: str) -> None:
        index = orjson.loads((folder / f"index-{name}.json").read_bytes())
        self.sets: Mapping[str, list[Any]] = index["sets"]
        self._places: Mapping[str, list[int]] = index["places"]
        self._lines = folder / f"types-{name}.jsonl"
        if self._lines.stat().st_size != index["bytes"]:
            raise ValueError("a part of it is missing")

    @classmethod
    def write(cls, folder: Path, name: str, document: bytes) -> _Digest:
        """Read a document part by part. Raises `MalformedError`."""
        sets: dict[str, tuple[str, bool]] = {}
        places: dict[str, tuple[int, int]] = {}
        lines = io.BytesIO()
        for part, one in stream_csdl(io.BytesIO(document)):
            if isinstance(one, EntitySet):
                sets[part] = (one.type, VERSIONED in one.terms)
                continue
            line = orjson.dumps(one)
            places[part] = (lines.tell(), len(line))
            lines.write(line + b"\n")
        _replace(folder / f"types-{name}.jsonl", lines.getvalue())
        index = {"sets": sets, "places": places, "bytes": lines.tell()}
        _replace(folder / f"index-{name}.json", orjson.dumps(index))
        return cls(folder, name)

    def describe(self, entity: str) -> Described:
        type_name, versioned = self.sets[entity]
        properties: dict[str, Property] = {}
        key: tuple[str, ...] = ()
        for one in self._line_of_types(type_name):
            own = {name: Property(**p) for name, p in one["properties"].items()}
            properties = {**own, **properties}
            key = key or tuple(one["key"])
        enums = {
            p.type: EnumType(**self._line(p.type))
            for p in properties.values()
            if p.type in self._places
        }
        return Described(type_name, key, properties, enums, versioned)

    def _line_of_types(self, name: str | None) -> Iterator[dict[str, Any]]:
        """A type and those it inherits from."""
        while name is not None and name in self._places:
            one = self._line(name)
            yield one
            name = one["base"]

    def _line(self, name: str) -> dict[str, Any]:
        start, length = self._places[name]
        with self._lines.open("rb") as file:
            file.seek(start)
            found: dict[str, Any] = orjson.loads(file.read(length))
        return found


def _replace(path: Path, content: bytes) -> None:
    """Write a file as a whole, so that another process never reads half of it."""
    new = path.with_name(f"{path.name}.{threading.get_ident()}-{time.monotonic_ns()}.new")
    new.write_bytes(content)
    new.replace(path)
