"""Multipart `$batch` bodies, requests and responses, in bytes.

Owns: splitting and joining parts, change sets, the HTTP message inside a part.
Never does: sending, limits on the number of parts, running a part.
Tested in: tests/unit/odata/test_batch.py (golden bytes).

Facts: "Dataverse Web API: webapi/execute-batch-operations-using-web-api". CRLF is written;
LF alone is read as well. The bytes are split by hand because the standard library's mail
parser is an order of magnitude slower.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from connector.odata.malformed import MalformedError

_BOUNDARY = re.compile(r'boundary=(?:"([^"]+)"|([^\s;"]+))', re.IGNORECASE)
_HTTP_PART = b"Content-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n"
_REASONS = {
    200: "OK",
    201: "Created",
    204: "No Content",
    304: "Not Modified",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    409: "Conflict",
    412: "Precondition Failed",
    413: "Content Too Large",
    429: "Too Many Requests",
    500: "Internal Server Error",
    501: "Not Implemented",
    503: "Service Unavailable",
}


@dataclass(frozen=True, slots=True)
class BatchRequest:
    """One request of a batch. Header names come lower-cased from the reader.

    `url` is absolute, an absolute path, or a `$1` reference; already percent-encoded.
    """

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    content_id: str | None = None


@dataclass(frozen=True, slots=True)
class ChangeSet:
    """Requests that happen together or not at all."""

    requests: Sequence[BatchRequest]


@dataclass(frozen=True, slots=True)
class BatchResponse:
    """The answer to one request. Header names come lower-cased from the reader."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    content_id: str | None = None


@dataclass(frozen=True, slots=True)
class ChangeSetResponse:
    """The answers to a change set that went through."""

    responses: Sequence[BatchResponse]


RequestPart: TypeAlias = BatchRequest | ChangeSet
ResponsePart: TypeAlias = BatchResponse | ChangeSetResponse


# ---------------------------------------------------------------------------- writing


def encode_batch(parts: Sequence[RequestPart], boundary: str) -> bytes:
    """The body of `POST $batch`; the caller sends `multipart/mixed; boundary=…`.

    `boundary` must not occur in any part. Raises `MalformedError` for a line break in a
    header or URL, `UnicodeEncodeError` for a URL that is not percent-encoded.
    """
    return b"".join(_encode(parts, boundary, "changeset"))


def encode_batch_responses(parts: Sequence[ResponsePart], boundary: str) -> tuple[str, bytes]:
    """The content type and body that answer a batch."""
    body = b"".join(_encode(parts, boundary, "changesetresponse"))
    return f"multipart/mixed; boundary={boundary}", body


def _encode(
    parts: Sequence[RequestPart] | Sequence[ResponsePart], boundary: str, nested: str
) -> Iterator[bytes]:
    delimiter = b"--" + boundary.encode("ascii") + b"\r\n"
    simple = delimiter + _HTTP_PART
    for number, part in enumerate(parts):
        if isinstance(part, BatchRequest | BatchResponse):
            yield simple
            yield _message(part)
            continue
        # At most 70 characters, as RFC 2046 has it, also under a boundary that ends in a GUID.
        inner = f"{nested}_{number}_{boundary.rpartition('_')[2]}"
        yield (delimiter + f"Content-Type: multipart/mixed; boundary={inner}\r\n\r\n".encode())
        yield from _encode(
            part.requests if isinstance(part, ChangeSet) else part.responses,
            inner,
            nested,
        )
        yield b"\r\n"
    yield b"--" + boundary.encode("ascii") + b"--\r\n"


def _message(part: BatchRequest | BatchResponse) -> bytes:
    """The rest of one part after its fixed MIME headers, with the line break that ends it."""
    if isinstance(part, BatchRequest):
        start = f"{part.method} {part.url} HTTP/1.1"
    else:
        start = f"HTTP/1.1 {part.status} {_REASONS.get(part.status, 'Other')}"
    lines = [f"{name}: {value}\r\n" for name, value in part.headers.items()]
    own = "" if part.content_id is None else f"Content-ID: {part.content_id}\r\n"
    head = f"{own}\r\n{start}\r\n{''.join(lines)}\r\n"
    # A header value or URL with a line break in it would become a header of its own.
    expected = len(lines) + 3 + bool(own)
    if head.count("\n") != expected or head.count("\r") != expected:
        raise MalformedError("a line break in the URL or in a header of a batch part")
    return head.encode("ascii") + part.body + b"\r\n"


# ---------------------------------------------------------------------------- reading


def boundary_of(content_type: str) -> str:
    """The boundary parameter, quoted or not. Raises `MalformedError` if there is none."""
    match = _BOUNDARY.search(content_type)
    if match is None or not content_type.lower().lstrip().startswith("multipart/mixed"):
        raise MalformedError(f"not multipart/mixed with a boundary: {content_type[:80]!r}")
    return match[1] or match[2]


def parse_batch(body: bytes, content_type: str) -> list[RequestPart]:
    """The requests of a batch, in order.

    Raises `MalformedError`, also for a body that does not end in CRLF (or in two LF), which
    the service refuses with "Stream was not readable".
    """
    if not body.endswith((b"\r\n", b"\n\n")):
        raise MalformedError("Stream was not readable: the batch does not end with a line break")
    parts: list[RequestPart] = []
    for mime, content in _parts(body, boundary_of(content_type)):
        if mime.get("content-type", "").lower().startswith("multipart/"):
            inner = _parts(content, boundary_of(mime["content-type"]))
            parts.append(ChangeSet([_request(*one) for one in inner]))
        else:
            parts.append(_request(mime, content))
    return parts


def parse_batch_responses(body: bytes, content_type: str) -> list[ResponsePart]:
    """The answers of a batch, in order. Raises `MalformedError`, also for a cut-off body."""
    parts: list[ResponsePart] = []
    for mime, content in _parts(body, boundary_of(content_type)):
        if mime.get("content-type", "").lower().startswith("multipart/"):
            inner = _parts(content, boundary_of(mime["content-type"]))
            parts.append(ChangeSetResponse([_response(*one) for one in inner]))
        else:
            parts.append(_response(mime, content))
    return parts


def _parts(body: bytes, boundary: str) -> Iterator[tuple[Mapping[str, str], bytes]]:
    """MIME headers and content of each part; the line break before a delimiter is its own."""
    delimiter = b"--" + boundary.encode("ascii")
    pieces = body.split(delimiter)
    seen: dict[bytes, Mapping[str, str]] = {}
    held = b""
    for number, piece in enumerate(pieces[1:], start=1):
        if held:
            piece = held + delimiter + piece
            held = b""
        if piece.startswith(b"--"):
            return
        if number + 1 == len(pieces):
            raise MalformedError("the closing boundary is missing: the body is cut off")
        if not piece.endswith(b"\n"):  # not at the start of a line: content, no delimiter
            held = piece
            continue
        if not piece.startswith((b"\r\n", b"\n", b" ", b"\t")):
            raise MalformedError("a boundary is not alone on its line")
        end = -2 if piece.endswith(b"\r\n") else -1
        head, content = _halves(piece[piece.index(b"\n") + 1 : end])
        headers = seen.get(head)
        if headers is None:
            headers = seen[head] = _headers(head)
        yield headers, content
    raise MalformedError("no part found: the boundary does not occur in the body")


def _halves(block: bytes) -> tuple[bytes, bytes]:
    """Head and content around the first empty line; without one, all of it is head."""
    head, found, content = block.partition(b"\r\n\r\n")
    if found and b"\n\n" not in head:
        return head, content
    head, _, content = block.partition(b"\n\n")
    return head, content


def _headers(head: bytes) -> dict[str, str]:
    headers: dict[str, str] = {}
    for line in head.decode("latin-1").splitlines():
        name, colon, value = line.partition(":")
        if colon:
            headers[name.strip().lower()] = value.strip()
        elif line.strip():
            raise MalformedError(f"not a header line: {line[:60]!r}")
    return headers


def _split_message(content: bytes) -> tuple[str, dict[str, str], bytes]:
    """Start line, headers and body of an HTTP message; a body of blanks counts as none."""
    head, body = _halves(content)
    start, _, rest = head.partition(b"\n")
    headers = _headers(rest) if rest else {}
    return start.decode("latin-1").strip(), headers, b"" if body.isspace() else body


def _request(mime: Mapping[str, str], content: bytes) -> BatchRequest:
    start, headers, body = _split_message(content)
    words = start.split(" ")
    if len(words) < 3 or not words[-1].startswith("HTTP/"):
        raise MalformedError(f"not a request line: {start[:80]!r}")
    content_id = mime.get("content-id") or headers.get("content-id")
    return BatchRequest(words[0], " ".join(words[1:-1]), headers, body, content_id)


def _response(mime: Mapping[str, str], content: bytes) -> BatchResponse:
    start, headers, body = _split_message(content)
    words = start.split(" ", 2)
    if len(words) < 2 or not words[0].startswith("HTTP/") or not words[1].isdigit():
        raise MalformedError(f"not a status line: {start[:80]!r}")
    content_id = mime.get("content-id") or headers.get("content-id")
    return BatchResponse(int(words[1]), headers, body, content_id)
