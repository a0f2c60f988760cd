"""A strict OData V2 service over TLS, in a thread of the tests; its manners can be switched.

It follows the text of OData V2 and what real services do beside it: CSRF tokens, ETags or none,
server-driven paging, batches that end at a failure, change sets of one operation only.
"""

from __future__ import annotations

import base64
import copy
import json
import re
import ssl
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from time import time
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

import trustme

from tests.integration.odata_v2.model import Entity, Filter, Refusal, Type, comparable

ROOT = "/odata2webservices/Loyalty"
_OPTIONS = {"$filter", "$select", "$orderby", "$top", "$skip", "$skiptoken", "$format"}


class Answer(NamedTuple):
    """One HTTP answer."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = {}


@dataclass
class Manners:
    """How the service behaves; tests set what they need."""

    page: int | None = None
    """Rows of a page at most, with `__next` to the others."""
    silent_page: int | None = None
    """The same without saying so."""
    csrf: bool = False
    stops: bool = False
    """A batch ends at its first failure, unless asked to go on."""
    deaf: bool = False
    """It ends there even so."""
    singly: bool = False
    """A change set holds one operation only."""
    upserts: bool = False
    """A POST of a key that is there changes the row."""
    answers_updates: bool = False
    """An update is answered 200 with the entity."""
    next_host: str | None = None
    """Links to further pages name this host."""
    coarse: int = 1
    """Times are told cut to so many milliseconds, and kept exactly."""
    methods: tuple[str, ...] = ("PATCH", "MERGE", "PUT")
    authorization: str | None = None
    """What the header must be."""
    faults: list[str] = field(default_factory=list)
    """For the next requests, one each: a status, `html`, `empty`, `lost`, or nothing."""


class Service:
    """Tables and manners of one stand-in."""

    def __init__(self, types: Iterable[Type] = ()) -> None:
        self.lock = threading.RLock()
        self.url = ""
        self.ca = ""
        self._clock = 0
        self.reset(types)

    def reset(self, types: Iterable[Type]) -> None:
        """Other tables, and manners as in the beginning."""
        self.types = {type.name: type for type in types}
        self.manners = Manners()
        self.log: list[str] = []
        """Method and path of every request, those within batches too, indented."""
        self.metadata: bytes | None = None
        """Another document than the tables make."""
        self.csrf_tokens = 0

    # ------------------------------------------------------------------ requests

    def handle(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """One request from the line."""
        with self.lock:
            self.log.append(f"{method} {unquote(target)}")
            refused = self._at_the_door(method, headers)
            if refused is not None:
                return refused
            path, _, query = target.partition("?")
            path = path[len(ROOT) :].lstrip("/")
            if path == "$batch" and method == "POST":
                return self._batch(headers, body)
            return self._single(method, f"{path}?{query}", headers, body)

    def _at_the_door(self, method: str, headers: Mapping[str, str]) -> Answer | None:
        manners = self.manners
        if manners.authorization not in (None, headers.get("authorization")):
            return Answer(401, b"who are you?", {"WWW-Authenticate": "Basic"})
        asked = headers.get("x-csrf-token", "")
        if manners.csrf and method == "GET" and asked.lower() == "fetch":
            self.csrf_tokens += 1
            told = {"X-CSRF-Token": f"t{self.csrf_tokens}", "Set-Cookie": f"s={self.csrf_tokens}"}
            return Answer(200, b'{"d":{"EntitySets":[]}}', told)
        if manners.csrf and method != "GET":
            cookie = headers.get("cookie", "")
            if (asked, cookie) != (f"t{self.csrf_tokens}", f"s={self.csrf_tokens}"):
                return Answer(403, b"CSRF token validation failed", {"X-CSRF-Token": "Required"})
        return None

    def _single(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """One request, of the line or of a batch; relative to the service root."""
        try:
            path, _, query = target.partition("?")
            if method == "GET" and path == "":
                return _json(200, {"d": {"EntitySets": list(self.types)}})
            if method == "GET" and path == "$metadata":
                document = self.metadata or self._document()
                return Answer(200, document, {"Content-Type": "application/xml"})
            match = re.fullmatch(r"(\w+)(?:\((.*)\))?", path)
            type = self.types.get(match[1]) if match else None
            if match is None or type is None:
                raise Refusal(404, "RESOURCE", f"no resource {path}")
            if match[2] is None:
                if method == "GET":
                    return self._query(type, query)
                return self._create(type, method, headers, body)
            key = type.find(unquote(match[2], errors="strict"))
            return self._keyed(type, key, method, headers, body)
        except Refusal as refusal:
            return _refused(refusal)

    # ------------------------------------------------------------------ reading

    def _query(self, type: Type, query: str) -> Answer:
        options = {}
        for part in query.split("&") if query else []:
            name, _, value = part.partition("=")
            # A plus is a plus: a query is no form.
            options[unquote(name)] = unquote(value, errors="strict")
        if unknown := options.keys() - _OPTIONS:
            raise Refusal(400, "OPTION", f"no such option: {sorted(unknown)}")
        rows = list(type.rows.items())
        if "$filter" in options:
            test = Filter(options["$filter"], type).test
            rows = [(key, one) for key, one in rows if test(one)]
        for part in reversed(options.get("$orderby", ",".join(type.keys)).split(",")):
            name, _, way = part.partition(" ")
            edm = type.properties[name].edm
            rows.sort(
                key=lambda row: (row[1][name] is not None, _sortable(edm, row[1][name])),
                reverse=way == "desc",
            )
        rows = rows[int(options.get("$skip", 0)) + int(options.get("$skiptoken", 0)) :]
        left = rows[: int(options["$top"])] if "$top" in options else rows
        answer: dict[str, Any] = {}
        limit = self.manners.page
        if limit is not None and len(left) > limit:
            answer["__next"] = self._next(type, options, limit)
            left = left[:limit]
        if self.manners.silent_page is not None:
            left = left[: self.manners.silent_page]
        names = options["$select"].split(",") if options.get("$select") else list(type.properties)
        if unknown_names := set(names) - type.properties.keys():
            raise Refusal(400, "SELECT", f"no such property: {sorted(unknown_names)}")
        answer["results"] = [self._entity(type, key, names) for key, _ in left]
        return _json(200, {"d": answer})

    def _next(self, type: Type, options: Mapping[str, str], limit: int) -> str:
        from urllib.parse import quote

        told = dict(options)
        told["$skiptoken"] = str(int(options.get("$skiptoken", 0)) + limit)
        if "$top" in told:
            told["$top"] = str(int(told["$top"]) - limit)
        query = "&".join(f"{name}={quote(value)}" for name, value in told.items())
        host = self.manners.next_host
        place = self.url if host is None else f"https://{host}{ROOT}"
        return f"{place}/{type.name}?{query}"

    def _entity(self, type: Type, key: tuple[Any, ...], names: list[str] | None = None) -> Entity:
        row = type.rows[key]
        about = {"uri": f"{self.url}/{type.name}({type.predicate(row)})", "type": f"L.{type.name}"}
        if type.etags:
            about["etag"] = type.etag(key)
        return {
            "__metadata": about,
            **{one: self._told(row[one]) for one in names or type.properties},
        }

    def _told(self, value: Any) -> Any:
        if self.manners.coarse == 1 or not str(value).startswith("/Date("):
            return value
        step = self.manners.coarse
        return re.sub(r"\d+", lambda one: str(int(one[0]) // step * step), str(value), count=1)

    # ------------------------------------------------------------------ writing

    def _create(self, type: Type, method: str, headers: Mapping[str, str], body: bytes) -> Answer:
        if method != "POST":
            raise Refusal(405, "METHOD", f"{method} on a set")
        item = self._item(type, headers, body)
        key = type.key_of(item)
        there = key in type.rows
        if there and not self.manners.upserts:
            raise Refusal(400, "DUPLICATE", "UNIQUE constraint failed", type.keys[0])
        whole = type.rows[key] if there else dict.fromkeys(type.properties)
        row = {**whole, **item}
        for name, one in type.properties.items():
            if name != type.stamp:
                one.check(name, row[name])
        self._put(type, key, row)
        told = self._entity(type, key)
        location = {"Location": told["__metadata"]["uri"].encode("ascii", "replace").decode()}
        return _json(201, {"d": told}, location)

    def _keyed(
        self, type: Type, key: tuple[Any, ...], method: str, headers: Mapping[str, str], body: bytes
    ) -> Answer:
        if method == "GET":
            if key not in type.rows:
                raise Refusal(404, "ENTITY", "no such entity")
            return _json(200, {"d": self._entity(type, key)})
        if method not in ("DELETE", *self.manners.methods):
            raise Refusal(405, "METHOD", f"{method} is not taken here")
        if key not in type.rows and (method == "DELETE" or type.etags):
            raise Refusal(404, "ENTITY", "no such entity")
        wanted = headers.get("if-match")
        if type.etags:
            if wanted is None:
                raise Refusal(428, "PRECONDITION", "If-Match is missing")
            if wanted not in ("*", type.etag(key)):
                raise Refusal(412, "PRECONDITION", "another version")
        if method == "DELETE":
            del type.rows[key], type.versions[key]
            return Answer(204)
        item = self._item(type, headers, body)
        base = type.rows.get(key) or dict(zip(type.keys, key, strict=True))
        rest = dict.fromkeys(type.properties)
        kept = {name: base[name] for name in type.keys} if method == "PUT" else base
        self._put(type, key, {**rest, **kept, **item})
        if self.manners.answers_updates:
            return _json(200, {"d": self._entity(type, key)}, {"ETag": type.etag(key)})
        return Answer(204, b"", {"ETag": type.etag(key)})

    def _item(self, type: Type, headers: Mapping[str, str], body: bytes) -> Entity:
        if "application/json" not in headers.get("content-type", ""):
            raise Refusal(415, "TYPE", "no JSON")
        item = json.loads(body)
        for name, value in item.items():
            if name not in type.properties:
                raise Refusal(400, "PROPERTY", f"no property {name}", name)
            type.properties[name].check(name, value)
        return dict(item)

    def _put(self, type: Type, key: tuple[Any, ...], row: Entity) -> None:
        self._clock += 1
        if type.stamp is not None:
            row = {**row, type.stamp: f"/Date({int(time() * 1000)}+0000)/"}
        type.rows[key] = row
        type.versions[key] = self._clock

    # ------------------------------------------------------------------ batches

    def _batch(self, headers: Mapping[str, str], body: bytes) -> Answer:
        boundary = _boundary(headers.get("content-type", ""))
        own = "batch_answer"
        lines: list[bytes] = []
        for part in _parts(body, boundary):
            told, content = _headers(part)
            type = told.get("content-type", "")
            if type.startswith("multipart/mixed"):
                good, text = self._change_set(_parts(content, _boundary(type)))
            else:
                answer = self._part(content, reading=True)
                good, text = answer.status < 400, _http(answer)
            lines += [f"--{own}\r\n".encode(), text, b"\r\n"]
            going_on = "continue-on-error" in headers.get("prefer", "") and not self.manners.deaf
            if not good and self.manners.stops and not going_on:
                break
        lines.append(f"--{own}--\r\n".encode())
        return Answer(202, b"".join(lines), {"Content-Type": f"multipart/mixed; boundary={own}"})

    def _change_set(self, parts: list[bytes]) -> tuple[bool, bytes]:
        """All of it or nothing; where it fails, one answer stands for the whole."""
        if self.manners.singly and len(parts) > 1:
            return False, _http(_refused(Refusal(501, "SINGLE", "one operation per change set")))
        before = {n: (copy.deepcopy(t.rows), dict(t.versions)) for n, t in self.types.items()}
        own = "set_answer"
        lines = [f"Content-Type: multipart/mixed; boundary={own}\r\n\r\n".encode()]
        for part in parts:
            answer = self._part(_headers(part)[1], reading=False)
            if answer.status >= 400:
                for name, (rows, versions) in before.items():
                    self.types[name].rows, self.types[name].versions = rows, versions
                return False, _http(answer)
            lines += [f"--{own}\r\n".encode(), _http(answer), b"\r\n"]
        lines.append(f"--{own}--\r\n".encode())
        return True, b"".join(lines)

    def _part(self, content: bytes, *, reading: bool) -> Answer:
        line, _, rest = content.lstrip(b"\r\n").partition(b"\r\n")
        match = re.fullmatch(r"(\w+) (\S+) HTTP/1\.1", line.decode("ascii"))
        if match is None or (match[1] == "GET") is not reading:
            return _refused(Refusal(400, "BATCH", f"no request: {line!r}"))
        self.log.append(f"  {match[1]} {unquote(match[2])}")
        headers, body = _headers(rest)
        return self._single(match[1], match[2], headers, body.strip())

    # ------------------------------------------------------------------ metadata

    def _document(self) -> bytes:
        types, sets = [], []
        for type in self.types.values():
            keys = "".join(f'<PropertyRef Name="{name}"/>' for name in type.keys)
            properties = "".join(
                f'<Property Name="{name}" Type="{one.edm}" Nullable="{str(one.nullable).lower()}"'
                + (f' MaxLength="{one.length}"' if one.length else "")
                + f" {one.facets}/>"
                for name, one in type.properties.items()
            )
            types.append(
                f'<EntityType Name="{type.name}"><Key>{keys}</Key>{properties}</EntityType>'
            )
            sets.append(f'<EntitySet Name="{type.name}" EntityType="L.{type.name}"/>')
        return (
            '<edmx:Edmx Version="1.0" xmlns:edmx="http://schemas.microsoft.com/ado/2007/06/edmx">'
            '<edmx:DataServices m:DataServiceVersion="2.0" '
            'xmlns:m="http://schemas.microsoft.com/ado/2007/08/dataservices/metadata">'
            '<Schema Namespace="L" xmlns="http://schemas.microsoft.com/ado/2008/09/edm" '
            'xmlns:sap="http://www.sap.com/Protocols/SAPData" '
            f'xmlns:s="http://schemas.sap.com/commerce">{"".join(types)}'
            f'<EntityContainer Name="C">{"".join(sets)}</EntityContainer>'
            "</Schema></edmx:DataServices></edmx:Edmx>"
        ).encode()


def _sortable(edm: str, value: Any) -> Any:
    return None if value is None else comparable(edm, value)


def _json(status: int, answer: Any, headers: Mapping[str, str] | None = None) -> Answer:
    told = {"Content-Type": "application/json; charset=utf-8", **(headers or {})}
    return Answer(status, json.dumps(answer, ensure_ascii=False).encode(), told)


def _refused(refusal: Refusal) -> Answer:
    error: dict[str, Any] = {
        "code": refusal.code,
        "message": {"lang": "en", "value": refusal.text},
        "innererror": {"errordetails": [{"code": refusal.code, "target": refusal.target}]},
    }
    return _json(refusal.status, {"error": error})


def _http(answer: Answer) -> bytes:
    """An answer as a part of a multipart one."""
    headers = {**answer.headers, "Content-Length": str(len(answer.body))}
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return (
        b"Content-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n"
        + f"HTTP/1.1 {answer.status} So\r\n{head}\r\n".encode()
        + answer.body
    )


def _boundary(content_type: str) -> bytes:
    match = re.search(r"boundary=([^;\s]+)", content_type)
    if not content_type.startswith("multipart/mixed") or match is None:
        raise Refusal(400, "BATCH", f"no boundary in {content_type!r}")
    return match[1].encode()


def _parts(body: bytes, boundary: bytes) -> list[bytes]:
    first, *parts = re.split(rb"(?:^|\r\n)--" + re.escape(boundary), body)
    if first.strip() or not parts or not parts[-1].startswith(b"--"):
        raise Refusal(400, "BATCH", "a malformed batch")
    return [part.removeprefix(b"\r\n") for part in parts[:-1]]


def _headers(text: bytes) -> tuple[dict[str, str], bytes]:
    head, _, content = text.partition(b"\r\n\r\n")
    pairs = (line.partition(":") for line in head.decode("ascii").split("\r\n") if line)
    return {name.strip().lower(): value.strip() for name, _, value in pairs}, content


# ---------------------------------------------------------------------------- the line


@contextmanager
def serving(service: Service, folder: Path) -> Iterator[Service]:
    """The service on a port of this machine, as long as the block lasts."""
    authority = trustme.CA()
    ca = folder / "ca.pem"
    authority.cert_pem.write_to_path(ca)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # head and body leave together

        def _go(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            fault = service.manners.faults.pop(0) if service.manners.faults else ""
            answer = _fault(fault) or service.handle(self.command, self.path, headers, body)
            if fault == "lost":
                self.close_connection = True
                return
            if fault == "empty":
                answer = Answer(202, b"", {"Content-Type": "multipart/mixed; boundary=x"})
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            if answer.status != 204:
                self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body)

        do_GET = do_POST = do_PUT = do_PATCH = do_MERGE = do_DELETE = _go  # noqa: N815

        def log_message(self, format: str, *args: Any) -> None:
            """Keep quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.socket = context.wrap_socket(server.socket, server_side=True)
    service.url = f"https://127.0.0.1:{server.server_address[1]}{ROOT}"
    service.ca = str(ca)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield service
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _fault(name: str) -> Answer | None:
    """The answer of a fault that keeps the request from being carried out."""
    if name == "html":
        page = b"<html><head><style>p{}</style></head><body><h1>Sign in</h1></body></html>"
        return Answer(200, page, {"Content-Type": "text/html"})
    if name.isdigit():
        pause = {"Retry-After": "0"} if name in ("429", "503") else {}
        return Answer(int(name), b"<html><h1>Out of order</h1></html>", pause)
    return None


def basic(user: str, password: str) -> str:
    """The header of a user name and a password."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def host_of(url: str) -> str:
    """Host and port."""
    return urlsplit(url).netloc
