"""Golden exchanges: request bytes in, an answer out, written down in `golden/*.http`.

A file holds cases; a case is a heading (`### …`) and exchanges one after the other:

    > POST /api/data/v9.2/msdyn_loyaltycards
    > Content-Type: application/json
    >
    > {"msdyn_cardnumber": "C-1"}
    < 204
    < OData-EntityId: <api>/msdyn_loyaltycards(<guid card>)

Lines of a request are sent as they stand, with `Host`, `Authorization` and `Content-Length`
added where they are missing. Of an answer the status and the headers that are named are
compared (`!Name` must be absent), and the whole body. Volatile parts are patterns: `<guid>`,
`<etag>`, `<axtag>`, `<int>`, `<time>`, `<encoded>`, `<bom>`, `<text>`; with a second word they keep
what they met (`<guid card>`), which `<card>` stands for from then on. `<api>`, `<org>` and the
members of the ready line are there from the start. A path below `/data`, `/api/connector` or
`/blobs` goes to Finance and Operations, all others to Dataverse. In JSON a member `"…"` says that
more members may follow, and a last item `"…"` that more items may.
"""

from __future__ import annotations

import http.client
import json
import re
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

FOLDER = Path(__file__).parent / "golden"
PATTERNS = {
    "guid": r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    "etag": r'W/"\d+"',
    "axtag": r'W/"[A-Za-z0-9+/]+=*"',
    "int": r"-?\d+",
    "time": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ",
    "text": r".*?",
    "bom": "\ufeff",
    "encoded": r"(?:[^\"&%]|%[0-9A-Fa-f]{2})+",
}
FINOPS = ("/data", "/api/connector", "/blobs")
_MARK = re.compile(r"<(\w+)(?: (\w+))?>")
MORE = "…"
TIMEOUT_SECONDS = 30


@dataclass(slots=True)
class Exchange:
    """One request and what must come back, as lines."""

    request: list[str] = field(default_factory=list)
    answer: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Case:
    """Exchanges that belong together."""

    name: str
    exchanges: list[Exchange] = field(default_factory=list)


def cases() -> Iterator[Case]:
    """Every case of every file."""
    for path in sorted(FOLDER.glob("*.http")):
        case: Case | None = None
        for number, line in enumerate(path.read_text().splitlines(), start=1):
            mark, text = line[:1], line[2:]
            if line.startswith("### "):
                if case is not None:
                    yield case
                case = Case(f"{path.stem}: {line[4:]}")
            elif mark == ">" and case is not None:
                if not case.exchanges or case.exchanges[-1].answer:
                    case.exchanges.append(Exchange())
                case.exchanges[-1].request.append(text)
            elif mark == "<" and case is not None:
                case.exchanges[-1].answer.append(text)
            elif line.strip() and mark != "#":
                raise ValueError(f"{path.name}:{number}: what is this? {line}")
        if case is not None:
            yield case


@dataclass(slots=True)
class Stage:
    """What a case has met so far; sends requests and compares answers."""

    ready: dict[str, Any]
    token: str
    finops_token: str = ""
    known: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.known |= {name: str(value) for name, value in self.ready.items()}
        self.known["org"] = self.ready["dataverse"]
        self.known["api"] = f"{self.ready['dataverse']}/api/data/v9.2"

    # ------------------------------------------------------------------------ requests

    def send(self, lines: list[str]) -> tuple[int, http.client.HTTPMessage, bytes]:
        """The bytes on their way, over a connection of their own."""
        text = _MARK.sub(lambda found: self.known.get(found[1], found[0]), "\n".join(lines))
        head, _, body = text.partition("\n\n")
        start, *headers = head.split("\n")
        method, _, path = start.partition(" ")
        raw = self._body(body, headers).encode()
        names = {line.partition(":")[0].lower() for line in headers}
        finops = path.startswith(FINOPS)
        place = urlsplit(self.known["finops" if finops else "org"])
        token = self.finops_token if finops else self.token
        added = {"Host": place.netloc, "Authorization": f"Bearer {token}"}
        added |= {"Content-Length": str(len(raw))} if raw else {}
        headers += [
            f"{name}: {value}" for name, value in added.items() if name.lower() not in names
        ]
        kept = [line for line in headers if not line.endswith(": none")]
        message = "\r\n".join([f"{method} {path} HTTP/1.1", *kept, "Connection: close", "", ""])
        context = ssl.create_default_context(cafile=self.ready["ca"])
        address = (str(place.hostname), place.port or 443)
        with (
            socket.create_connection(address, TIMEOUT_SECONDS) as plain,
            context.wrap_socket(plain, server_hostname=place.hostname) as secure,
        ):
            secure.sendall(message.encode() + raw)
            response = http.client.HTTPResponse(secure, method=method)
            response.begin()
            return response.status, response.headers, response.read()

    def _body(self, body: str, headers: list[str]) -> str:
        """Multipart bodies have CRLF, as the service wants them; a header can ask for LF."""
        if "X-Line-Ends: LF" in headers:
            headers.remove("X-Line-Ends: LF")
            return body
        multipart = any("multipart/mixed" in line for line in headers)
        return body.replace("\n", "\r\n") if multipart else body

    # ------------------------------------------------------------------------ answers

    def compare(self, lines: list[str], answer: tuple[int, http.client.HTTPMessage, bytes]) -> None:
        """Raises `AssertionError` with the whole answer where it is another one."""
        status, headers, body = answer
        shown = f"{status}\n{headers}{body.decode(errors='replace')}"
        wanted = lines[0].split()[0]
        assert status == int(wanted), shown
        place = lines.index("") if "" in lines else len(lines)
        for line in lines[1:place]:
            name, _, value = line.partition(":")
            if name.startswith("!"):
                assert name[1:] not in headers, f"{name} is there\n{shown}"
                continue
            assert self._fits(value.strip(), headers.get(name, "")), f"{line}\n{shown}"
        self._compare_body("\n".join(lines[place + 1 :]), headers, body, shown)

    def _compare_body(
        self, wanted: str, headers: http.client.HTTPMessage, body: bytes, shown: str
    ) -> None:
        kind = headers.get("Content-Type", "")
        if "json" in kind and wanted.lstrip()[:1] in ("{", "["):
            problem = self._differs(json.loads(wanted), json.loads(body), "")
            assert not problem, f"{problem}\n{shown}"
            return
        text = body.decode().replace("\r\n", "\n").strip("\n")
        assert self._fits(wanted.strip("\n"), text), f"{wanted}\n--- came:\n{shown}"

    def _differs(self, wanted: Any, found: Any, path: str) -> str:
        """Where two JSON values differ, empty if nowhere."""
        if isinstance(wanted, dict) and isinstance(found, dict):
            more = MORE in wanted
            names = [name for name in wanted if name != MORE]
            if not more and set(names) != set(found):
                return f"{path}: members {sorted(set(names) ^ set(found))}"
            for name in names:
                if name not in found:
                    return f"{path}.{name} is missing"
                problem = self._differs(wanted[name], found[name], f"{path}.{name}")
                if problem:
                    return problem
            return ""
        if isinstance(wanted, list) and isinstance(found, list):
            more = bool(wanted) and wanted[-1] == MORE
            wanted = wanted[:-1] if more else wanted
            if len(wanted) > len(found) or (len(wanted) < len(found) and not more):
                return f"{path}: {len(found)} items"
            pairs = enumerate(zip(wanted, found, strict=False))
            problems = (self._differs(one, other, f"{path}[{n}]") for n, (one, other) in pairs)
            return next(filter(None, problems), "")
        if isinstance(wanted, str) and _MARK.search(wanted):
            return "" if self._fits(wanted, str(found)) else f"{path}: {found!r} is no {wanted}"
        same = type(wanted) is type(found) and wanted == found
        return "" if same else f"{path}: {found!r}, not {wanted!r}"

    def _fits(self, wanted: str, found: str) -> bool:
        """Whether a text fits one with patterns in it; keeps what named patterns met."""
        pieces, place, named = [], 0, set[str]()
        for mark in _MARK.finditer(wanted):
            kind, name = mark[1], mark[2]
            pieces.append(re.escape(wanted[place : mark.start()]))
            place = mark.end()
            if kind in PATTERNS:
                pieces.append(f"(?P<{name}>{PATTERNS[kind]})" if name else f"(?:{PATTERNS[kind]})")
                named |= {name} if name else set()
            elif kind in named:
                pieces.append(f"(?P={kind})")
            else:
                pieces.append(re.escape(self.known.get(kind, mark[0])))
        pieces.append(re.escape(wanted[place:]))
        match = re.fullmatch("".join(pieces), found, re.DOTALL)
        if match is None:
            return False
        self.known |= match.groupdict()
        return True
