"""A service of OData V4 in memory, behind `responses`: plain, with or without ETags and batches.

Rows are kept as the JSON of the wire. Texts compare as they are, a key is there once, and pages
are driven by the server with a token that says nothing to a client.
"""

from __future__ import annotations

import itertools
import json
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any, TypeAlias
from urllib.parse import parse_qsl, quote, unquote, urljoin, urlsplit

import responses
from odata_query import ast
from requests import PreparedRequest

from connector.odata.batch import (
    BatchRequest,
    BatchResponse,
    ChangeSet,
    ChangeSetResponse,
    ResponsePart,
    encode_batch_responses,
    parse_batch,
)
from connector.odata.filters import parse_filter
from connector.odata.paths import parse_segment

ROOT = "https://erp.example/odata/"
LONGEST_KEY = 40
Json: TypeAlias = dict[str, Any]
Answer: TypeAlias = tuple[int, Mapping[str, str], bytes]
METADATA = f"""<edmx:Edmx Version="4.0" xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx">
<edmx:DataServices><Schema Namespace="Shop" xmlns="http://docs.oasis-open.org/odata/ns/edm">
<EnumType Name="Kind"><Member Name="Plain"/><Member Name="Gold"/></EnumType>
<EnumType Name="Marks" IsFlags="true"><Member Name="A" Value="1"/></EnumType>
<EntityType Name="Thing" Abstract="true"><Property Name="Changed" Type="Edm.DateTimeOffset">
 <Annotation Term="Org.OData.Core.V1.Computed" Bool="true"/></Property>
 <Property Name="Serial" Type="Edm.Int64">
 <Annotation Term="Org.OData.Core.V1.Computed" Bool="true"/></Property></EntityType>
<EntityType Name="Card" BaseType="Shop.Thing"><Key><PropertyRef Name="Number"/></Key>
 <Property Name="Number" Type="Edm.String" MaxLength="{LONGEST_KEY}" Nullable="false"/>
 <Property Name="Text" Type="Edm.String"/><Property Name="Day" Type="Edm.Date"/>
 <Property Name="Points" Type="Edm.Decimal" Scale="4"/><Property Name="Count" Type="Edm.Int64"/>
 <Property Name="Kind" Type="Shop.Kind"/><Property Name="Paid" Type="Edm.Boolean"/>
 <Property Name="Owner" Type="Edm.Guid"/><Property Name="Marks" Type="Shop.Marks"/>
 <Property Name="Photo" Type="Edm.Stream"/><Property Name="Tags" Type="Collection(Edm.String)"/>
</EntityType>
<EntityType Name="Line"><Key><PropertyRef Name="Order"/><PropertyRef Name="No"/></Key>
 <Property Name="Order" Type="Edm.String" Nullable="false"/>
 <Property Name="No" Type="Edm.Int32" Nullable="false"/>
 <Property Name="Text" Type="Edm.String"/></EntityType>
<EntityType Name="Loose"><Property Name="Text" Type="Edm.String"/></EntityType>
<EntityContainer Name="C"><EntitySet Name="Cards" EntityType="Shop.Card">
 <!-- terms of Cards --></EntitySet>
 <EntitySet Name="Lines" EntityType="Shop.Line"/><EntitySet Name="Loose" EntityType="Shop.Loose"/>
</EntityContainer></Schema></edmx:DataServices></edmx:Edmx>"""
CONCURRENCY = '<Annotation Term="Org.OData.Core.V1.OptimisticConcurrency"/>'
KEYS = {"Cards": ("Number",), "Lines": ("Order", "No")}
COLUMNS = {
    "Cards": [
        "Changed",
        "Serial",
        "Number",
        "Text",
        "Day",
        "Points",
        "Count",
        "Kind",
        "Paid",
        "Owner",
        "Marks",
        "Photo",
        "Tags",
    ],
    "Lines": ["Order", "No", "Text"],
}


class Refused(Exception):
    """One refusal: status, code, text."""


@dataclass
class MemoryService:
    """The service; `answer` goes to `responses`. What is asked is kept in `asked`."""

    etags: bool = True
    batches: bool = True
    page: int = 3
    annotated: bool = True
    """Whether `$metadata` tells of ETags."""
    goes_on: bool = True
    """Whether a batch goes on behind a failure."""
    rows: dict[str, dict[tuple[Any, ...], Json]] = field(
        default_factory=lambda: {"Cards": {}, "Lines": {}}
    )
    asked: list[PreparedRequest] = field(default_factory=list)
    instead: Callable[[PreparedRequest], Answer | Exception | None] = lambda _: None
    """What a test has it answer in place of itself."""

    def __post_init__(self) -> None:
        self._serial = itertools.count(1)
        self._lock = threading.Lock()
        self._tokens: dict[str, str] = {}

    def mount(self, mock: responses.RequestsMock) -> None:
        """Answer every request of this mock."""
        for method in ("GET", "POST", "PATCH", "DELETE"):
            mock.add_callback(method, re.compile(re.escape(ROOT)), self.answer)

    def answer(self, request: PreparedRequest) -> Answer | Exception:
        """One request."""
        with self._lock:
            self.asked.append(request)
            spoiled = self.instead(request)
            if spoiled is not None:
                return spoiled
            body = request.body or b""
            body = body.encode() if isinstance(body, str) else bytes(body)
            url = str(request.url)
            if urlsplit(url).path.endswith("/$batch"):
                return self._batch(body, request.headers.get("Content-Type", ""))
            status, headers, content = self._safely(str(request.method), url, request.headers, body)
            date = format_datetime(datetime.now(UTC), usegmt=True)
            return status, {"Content-Type": "application/json", "Date": date, **headers}, content

    def _batch(self, body: bytes, kind: str) -> Answer:
        if not self.batches:
            return 404, {}, b"<html><body>Not found</body></html>"
        answers: list[ResponsePart] = []
        for part in parse_batch(body, kind):
            wrapped = isinstance(part, ChangeSet)
            one = part.requests[0] if isinstance(part, ChangeSet) else part
            answer = self._part(one)
            answers.append(ChangeSetResponse([answer]) if wrapped else answer)
            if answer.status >= 400 and not self.goes_on:
                break
        told, content = encode_batch_responses(answers, "batchresponse_1")
        return 200, {"Content-Type": told}, content

    def _part(self, one: BatchRequest) -> BatchResponse:
        assert "://" not in one.url, "parts are addressed from the batch on"
        url = urljoin(ROOT, one.url)
        return BatchResponse(*self._safely(one.method, url, one.headers, one.body))

    def _safely(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        try:
            return self._run(method, url, {k.lower(): v for k, v in headers.items()}, body)
        except Refused as error:
            status, code, text = error.args
            return status, {}, json.dumps({"error": {"code": code, "message": text}}).encode()

    # ------------------------------------------------------------------------ requests

    def _run(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        parts = urlsplit(url)
        path = parts.path.removeprefix("/odata/")
        options = dict(parse_qsl(parts.query))
        if path == "":
            return 200, {}, json.dumps({"@odata.context": f"{ROOT}$metadata", "value": []}).encode()
        if path == "$metadata":
            terms = CONCURRENCY if self.etags and self.annotated else ""
            document = METADATA.replace("<!-- terms of Cards -->", terms)
            return 200, {"Content-Type": "application/xml"}, document.encode()
        segment = parse_segment(path)
        if segment.name not in self.rows:
            raise Refused(404, "NotFound", "no such resource")
        if segment.keys is None:
            if method == "POST":
                return self._create(segment.name, json.loads(body))
            return self._list(segment.name, options)
        key = tuple(segment.keys[name] for name in KEYS[segment.name])
        return self._change(method, segment.name, key, headers, body)

    def _create(self, name: str, given: Json) -> Answer:
        key = tuple(given[part] for part in KEYS[name])
        if len(str(key[0])) > LONGEST_KEY:
            raise Refused(400, "TooLong", f"The value of {KEYS[name][0]} is too long.")
        if key in self.rows[name]:
            raise Refused(409, "Conflict", "An entity with this key is there.")
        self.rows[name][key] = self._stamped(dict.fromkeys(COLUMNS[name]) | given)
        return 201, {}, json.dumps(self._shown(self.rows[name][key], None)).encode()

    def _change(
        self, method: str, name: str, key: tuple[Any, ...], headers: Mapping[str, str], body: bytes
    ) -> Answer:
        row = self.rows[name].get(key)
        if row is None:
            raise Refused(404, "", "")
        wanted = headers.get("if-match")
        assert wanted is not None, "an update may never create"
        if self.etags and wanted not in ("*", self._tag(row)):
            raise Refused(412, "PreconditionFailed", "The row was changed.")
        if method == "DELETE":
            del self.rows[name][key]
            return 204, {}, b""
        row.update(json.loads(body))
        self._stamped(row)
        return 200, {}, json.dumps(self._shown(row, None)).encode()

    def _stamped(self, row: Json) -> Json:
        row["Serial"] = next(self._serial)
        row["Changed"] = datetime.now(UTC).isoformat().replace("+00:00", "Z")
        return row

    @staticmethod
    def _tag(row: Json) -> str:
        return f'W/"{row["Serial"]}"'

    def _shown(self, row: Json, select: str | None) -> Json:
        names = [name for name in row if name != "Serial"] if select is None else select.split(",")
        shown = {name: row[name] for name in names}
        if "Serial" in row:
            shown.setdefault("Serial", row["Serial"])
        return {**({"@odata.etag": self._tag(row)} if self.etags else {}), **shown}

    # ------------------------------------------------------------------------ lists

    def _list(self, name: str, options: Mapping[str, str]) -> Answer:
        rows = [*self.rows[name].values()]
        if "$filter" in options:
            tree = parse_filter(options["$filter"])
            rows = [row for row in rows if holds(tree, row)]
        for one in reversed(
            options.get("$orderby", "").split(",") if "$orderby" in options else []
        ):
            column, _, way = one.partition(" ")
            rows.sort(key=_by(column), reverse=way == "desc")
        start = int(self._tokens.get(options.get("$skiptoken", ""), "0"))
        most = int(options.get("$top", len(rows)))
        page = rows[start : min(start + self.page, most)]
        answer: Json = {
            "@odata.context": f"{ROOT}$metadata#{name}",
            "value": [self._shown(row, options.get("$select")) for row in page],
        }
        if start + self.page < min(len(rows), most):
            token = f"t{len(self._tokens)}"
            self._tokens[token] = str(start + self.page)
            kept = "&".join(f"{k}={quote(v)}" for k, v in options.items() if k != "$skiptoken")
            # Relative, as the standard allows.
            answer["@odata.nextLink"] = f"{name}?{kept}&$skiptoken={token}"
        return 200, {}, json.dumps(answer).encode()


def _by(column: str) -> Callable[[Json], Any]:
    return lambda row: row[column] or ""


def holds(node: ast._Node, row: Json) -> bool:
    """Whether a row meets a filter."""
    match node:
        case ast.BoolOp(op=ast.And(), left=left, right=right):
            return holds(left, row) and holds(right, row)
        case ast.BoolOp(left=left, right=right):
            return holds(left, row) or holds(right, row)
        case ast.Compare(comparator=comparator, left=ast.Identifier(name=name), right=right):
            own, other = row[name], _value(right)
            if own is None:
                return False
            if isinstance(right, ast.DateTime):
                own = datetime.fromisoformat(own)
                other = datetime.fromisoformat(str(other))
            compare = {
                ast.Eq: own == other,
                ast.Gt: own > other,
                ast.GtE: own >= other,
            }
            return bool(compare[type(comparator)])
    raise Refused(400, "Filter", f"this service does not take {node}")


def _value(node: ast._Node) -> Any:
    if isinstance(node, ast.Integer):
        return int(node.val)
    assert isinstance(node, ast.String | ast.DateTime | ast.Date | ast.GUID), node
    return node.val


def path_of(request: PreparedRequest) -> str:
    """The decoded path and query of a request, from the service's root."""
    return unquote(str(request.url)).removeprefix(ROOT)
