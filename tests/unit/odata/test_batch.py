"""Batch bodies against golden bytes written by hand from the protocol's documentation."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.odata.batch import (
    BatchRequest,
    BatchResponse,
    ChangeSet,
    ChangeSetResponse,
    RequestPart,
    ResponsePart,
    boundary_of,
    encode_batch,
    encode_batch_responses,
    parse_batch,
    parse_batch_responses,
)
from connector.odata.malformed import MalformedError

TYPE = "multipart/mixed; boundary=batch_x"

REQUESTS: list[RequestPart] = [
    BatchRequest(
        "POST",
        "/api/data/v9.2/tasks",
        {"content-type": "application/json"},
        b'{"subject":"a"}',
        content_id="1",
    ),
    ChangeSet(
        [
            BatchRequest(
                "PATCH",
                "$1",
                {"content-type": "application/json", "if-match": 'W/"7"'},
                b'{"subject":"b"}',
                content_id="2",
            )
        ]
    ),
    BatchRequest("GET", "/api/data/v9.2/tasks?$select=subject&$top=1"),
]

REQUEST_BYTES = (
    b"--batch_x\r\n"
    b"Content-Type: application/http\r\n"
    b"Content-Transfer-Encoding: binary\r\n"
    b"Content-ID: 1\r\n"
    b"\r\n"
    b"POST /api/data/v9.2/tasks HTTP/1.1\r\n"
    b"content-type: application/json\r\n"
    b"\r\n"
    b'{"subject":"a"}\r\n'
    b"--batch_x\r\n"
    b"Content-Type: multipart/mixed; boundary=changeset_1_x\r\n"
    b"\r\n"
    b"--changeset_1_x\r\n"
    b"Content-Type: application/http\r\n"
    b"Content-Transfer-Encoding: binary\r\n"
    b"Content-ID: 2\r\n"
    b"\r\n"
    b"PATCH $1 HTTP/1.1\r\n"
    b"content-type: application/json\r\n"
    b'if-match: W/"7"\r\n'
    b"\r\n"
    b'{"subject":"b"}\r\n'
    b"--changeset_1_x--\r\n"
    b"\r\n"
    b"--batch_x\r\n"
    b"Content-Type: application/http\r\n"
    b"Content-Transfer-Encoding: binary\r\n"
    b"\r\n"
    b"GET /api/data/v9.2/tasks?$select=subject&$top=1 HTTP/1.1\r\n"
    b"\r\n"
    b"\r\n"
    b"--batch_x--\r\n"
)

RESPONSES: list[ResponsePart] = [
    BatchResponse(204, {"odata-version": "4.0", "odata-entityid": "https://o/tasks(1)"}),
    ChangeSetResponse([BatchResponse(204, {"odata-version": "4.0"}, content_id="2")]),
    BatchResponse(
        412,
        {"content-type": "application/json; odata.metadata=minimal"},
        b'{"error":{"code":"0x80060882","message":"x"}}',
    ),
]

RESPONSE_BYTES = (
    b"--batchresponse_7\r\n"
    b"Content-Type: application/http\r\n"
    b"Content-Transfer-Encoding: binary\r\n"
    b"\r\n"
    b"HTTP/1.1 204 No Content\r\n"
    b"odata-version: 4.0\r\n"
    b"odata-entityid: https://o/tasks(1)\r\n"
    b"\r\n"
    b"\r\n"
    b"--batchresponse_7\r\n"
    b"Content-Type: multipart/mixed; boundary=changesetresponse_1_7\r\n"
    b"\r\n"
    b"--changesetresponse_1_7\r\n"
    b"Content-Type: application/http\r\n"
    b"Content-Transfer-Encoding: binary\r\n"
    b"Content-ID: 2\r\n"
    b"\r\n"
    b"HTTP/1.1 204 No Content\r\n"
    b"odata-version: 4.0\r\n"
    b"\r\n"
    b"\r\n"
    b"--changesetresponse_1_7--\r\n"
    b"\r\n"
    b"--batchresponse_7\r\n"
    b"Content-Type: application/http\r\n"
    b"Content-Transfer-Encoding: binary\r\n"
    b"\r\n"
    b"HTTP/1.1 412 Precondition Failed\r\n"
    b"content-type: application/json; odata.metadata=minimal\r\n"
    b"\r\n"
    b'{"error":{"code":"0x80060882","message":"x"}}\r\n'
    b"--batchresponse_7--\r\n"
)


def test_requests_are_written_byte_for_byte() -> None:
    assert encode_batch(REQUESTS, "batch_x") == REQUEST_BYTES


def test_requests_are_read() -> None:
    assert parse_batch(REQUEST_BYTES, TYPE) == REQUESTS


def test_responses_are_written_byte_for_byte() -> None:
    kind, body = encode_batch_responses(RESPONSES, "batchresponse_7")
    assert kind == "multipart/mixed; boundary=batchresponse_7"
    assert body == RESPONSE_BYTES


def test_responses_are_read() -> None:
    kind = "multipart/mixed; boundary=batchresponse_7"
    assert parse_batch_responses(RESPONSE_BYTES, kind) == RESPONSES


def test_line_feeds_alone_are_read_if_the_body_ends_with_two() -> None:
    body = REQUEST_BYTES.replace(b"\r\n", b"\n")
    assert parse_batch(body + b"\n", TYPE) == REQUESTS
    with pytest.raises(MalformedError, match="Stream was not readable"):
        parse_batch(body, TYPE)


def test_a_missing_last_line_break_is_found() -> None:
    with pytest.raises(MalformedError, match="Stream was not readable"):
        parse_batch(REQUEST_BYTES[:-2], TYPE)


def test_a_documented_error_answer_with_line_feeds() -> None:
    body = (
        b"--batchresponse_7\nContent-Type: application/http\nContent-Transfer-Encoding: binary\n\n"
        b"HTTP/1.1 400 Bad Request\nREQ_ID: 1b2c\nOData-Version: 4.0\n\n"
        b'{"error":{"code":"0x80044331","message":"too long"}}\n--batchresponse_7--'
    )
    assert parse_batch_responses(body, 'multipart/mixed;boundary="batchresponse_7"') == [
        BatchResponse(
            400,
            {"req_id": "1b2c", "odata-version": "4.0"},
            b'{"error":{"code":"0x80044331","message":"too long"}}',
        )
    ]


def test_a_body_keeps_its_own_empty_lines() -> None:
    request = BatchRequest("POST", "/t", {"a": "b"}, b'{\n\n"x":\r\n\r\n1}')
    assert parse_batch(encode_batch([request], "batch_x"), TYPE) == [request]


def test_a_preamble_and_blanks_after_the_boundary_are_tolerated() -> None:
    body = REQUEST_BYTES.replace(b"--batch_x\r\n", b"--batch_x \t\r\n")
    assert parse_batch(b"for old mail programs\r\n" + body, TYPE) == REQUESTS


@pytest.mark.parametrize("cut", [10, 200, 400, len(RESPONSE_BYTES) - 22])
def test_a_cut_off_answer_is_found(cut: int) -> None:
    with pytest.raises(MalformedError):
        parse_batch_responses(RESPONSE_BYTES[:cut], "multipart/mixed; boundary=batchresponse_7")


def test_the_boundary_inside_a_line_is_content() -> None:
    request = BatchRequest("POST", "/t", {}, b'{"x":"see --batch_x here"}')
    assert parse_batch(encode_batch([request], "batch_x"), TYPE) == [request]


@pytest.mark.parametrize(
    ("kind", "boundary"),
    [
        ("multipart/mixed;boundary=batch_1", "batch_1"),
        ('multipart/mixed; boundary="batch 1;2"', "batch 1;2"),
        ("Multipart/Mixed; charset=utf-8; Boundary=b", "b"),
    ],
)
def test_boundaries(kind: str, boundary: str) -> None:
    assert boundary_of(kind) == boundary


@pytest.mark.parametrize("kind", ["", "application/json", "multipart/mixed", "text/x; boundary=b"])
def test_a_missing_boundary_is_refused(kind: str) -> None:
    with pytest.raises(MalformedError):
        parse_batch(REQUEST_BYTES, kind)


@pytest.mark.parametrize(
    "broken",
    [
        BatchRequest("GET", "/t\r\nX-Evil: 1"),
        BatchRequest("GET", "/t", {"If-Match": "a\nX-Evil: 1"}),
        BatchRequest("GET", "/t", content_id="1\r\nX-Evil: 1"),
    ],
)
def test_headers_cannot_be_smuggled_in(broken: BatchRequest) -> None:
    with pytest.raises(MalformedError):
        encode_batch([broken], "batch_x")


def test_a_broken_request_line_is_refused() -> None:
    body = REQUEST_BYTES.replace(b"PATCH $1 HTTP/1.1", b"PATCH $1")
    with pytest.raises(MalformedError, match="request line"):
        parse_batch(body, TYPE)


TOKENS = st.text("abcdefghijklmnopqrstuvwxyz-", min_size=1, max_size=12)
VALUES = st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=20)
HEADERS = st.dictionaries(TOKENS, VALUES, max_size=4).filter(lambda h: "content-id" not in h)
BODIES = st.binary(max_size=60).filter(lambda b: not b.isspace() and b"--batch_x" not in b)
REQUEST = st.builds(
    BatchRequest,
    st.sampled_from(["GET", "POST", "PATCH", "DELETE"]),
    VALUES.filter(bool),
    HEADERS,
    BODIES,
    st.none() | st.integers(1, 999).map(str),
)


@given(
    st.lists(REQUEST | st.builds(ChangeSet, st.lists(REQUEST, min_size=1, max_size=3)), min_size=1)
)
def test_round_trip(parts: list[BatchRequest | ChangeSet]) -> None:
    assert parse_batch(encode_batch(parts, "batch_x"), TYPE) == parts
