"""The server: https, slow clients, addresses that cannot be used, an end in good order."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias

import pytest
import requests
import trustme

from connector.errors import ConfigError, UsageError
from connector.live import posted
from connector.live import server as module
from connector.live.board import Board
from connector.live.posted import KEY_HEADER
from connector.live.receiver import NOTICES, Receiver
from connector.live.server import HEAD, Server

KEY = "let me in"
LOOPBACK = ("127.0.0.1", 0)
Heard: TypeAlias = list[str]


def receiver(heard: Heard, key: str | None = KEY) -> Receiver:
    return Receiver(Board("host/1", "1.0", time.time, silence=60.0), key, heard.append)


@contextmanager
def serving(key: str | None = KEY, certificate: Path | None = None) -> Iterator[tuple[str, Heard]]:
    heard: Heard = []
    server = Server(receiver(heard, key).application(), LOOPBACK, certificate)
    ended = threading.Event()
    thread = threading.Thread(target=server.serve, args=[ended])
    thread.start()
    server.wait_until_ready(thread.is_alive)
    try:
        yield server.url, heard
    finally:
        ended.set()
        thread.join(20)
        server.close()
        assert not thread.is_alive()


def post(url: str, body: bytes, key: str = KEY) -> requests.Response:
    return requests.post(url + NOTICES, data=body, headers={KEY_HEADER: key}, timeout=20)


def test_a_notice_is_heard_by_its_table() -> None:
    with serving() as (url, heard):
        answer = post(url, b'{"PrimaryEntityName": "account"}')
        assert (answer.status_code, answer.content) == (202, b"")
        assert heard == ["account"]


def test_it_speaks_https_with_a_certificate_of_ones_own(tmp_path: Path) -> None:
    ca = trustme.CA()
    issued = ca.issue_cert("127.0.0.1")
    pem, trust = tmp_path / "serve.pem", tmp_path / "ca.pem"
    issued.private_key_and_cert_chain_pem.write_to_path(str(pem))
    ca.cert_pem.write_to_path(str(trust))
    with serving(certificate=pem) as (url, _), requests.Session() as session:
        session.trust_env = False
        assert url.startswith("https://")
        answer = session.get(url + "/health/live", verify=str(trust), timeout=20)
        assert answer.status_code == 200


@pytest.mark.parametrize("content", [None, "", "-----BEGIN NOTHING-----"])
def test_a_file_that_is_no_certificate_is_refused(tmp_path: Path, content: str | None) -> None:
    file = tmp_path / "serve.pem"
    if content is not None:
        file.write_text(content)
    with pytest.raises(ConfigError, match="cannot be used as a certificate") as caught:
        Server(receiver([]).application(), LOOPBACK, file)
    assert caught.value.code == "serve-certificate"


def test_an_address_in_use_is_refused() -> None:
    with socket.create_server(LOOPBACK) as other, pytest.raises(UsageError) as caught:
        Server(receiver([]).application(), other.getsockname(), None)
    assert caught.value.code == "port-in-use"


def test_without_a_key_there_is_nothing_to_post_to() -> None:
    with serving(key=None) as (url, heard):
        assert post(url, b'{"PrimaryEntityName": "account"}').status_code == 404
        assert heard == []


def test_who_sends_too_slowly_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(posted, "PATIENCE", 0.2)
    with serving() as (url, heard):
        port = int(url.rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port), timeout=20) as slow:
            head = f"POST {NOTICES} HTTP/1.1\r\nHost: x\r\n{KEY_HEADER}: {KEY}\r\n"
            slow.sendall(head.encode() + b"Content-Length: 100\r\n\r\n{")
            assert slow.recv(100).startswith(b"HTTP/1.1 408 ")
        assert heard == []


def test_a_body_without_a_length_is_cut_off_at_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(posted, "LONGEST", 1000)
    with serving() as (url, heard):
        pieces = (b"x" * 100 for _ in range(20))
        answer = requests.post(url + NOTICES, data=pieces, headers={KEY_HEADER: KEY}, timeout=20)
        assert answer.status_code == 413
        assert heard == []


def test_a_head_without_end_is_refused() -> None:
    with serving() as (url, _):
        port = int(url.rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port), timeout=20) as endless:
            endless.sendall(b"GET /health/live HTTP/1.1\r\nHost: x\r\nx: " + b"y" * HEAD)
            assert endless.recv(100).startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize(
    ("before", "sent"),
    [(False, b""), (False, b"GET /health/live HTTP/1.1\r\nHo"), (True, b"GET /health")],
    ids=["nothing", "half a head", "half a head after an answer"],
)
def test_who_never_ends_a_head_does_not_keep_a_connection(
    monkeypatch: pytest.MonkeyPatch, before: bool, sent: bytes
) -> None:
    monkeypatch.setattr(module, "PATIENCE", 3.0 if before else 0.5)
    with serving() as (url, _):
        port = int(url.rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port), timeout=20) as idle:
            if before:
                idle.sendall(b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n")
                assert idle.recv(4096).startswith(b"HTTP/1.1 200 ")
            idle.sendall(sent)
            while idle.recv(4096):
                pass


def test_a_request_at_work_is_given_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PATIENCE", 3.0)
    with serving() as (url, heard):
        port = int(url.rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port), timeout=20) as slow:
            body = b'{"PrimaryEntityName": "account"}'
            head = f"POST {NOTICES} HTTP/1.1\r\nHost: x\r\n{KEY_HEADER}: {KEY}\r\n"
            slow.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode())
            time.sleep(3.1)
            slow.sendall(body)
            assert slow.recv(100).startswith(b"HTTP/1.1 202 ")
        assert heard == ["account"]


def test_who_keeps_a_connection_does_not_hold_up_the_end() -> None:
    with serving() as (url, _), requests.Session() as session:
        assert session.get(url + "/health/live", timeout=20).status_code == 200
        began = time.monotonic()
    assert time.monotonic() - began < 5


def test_what_is_no_http_is_logged_now_and_then(caplog: pytest.LogCaptureFixture) -> None:
    with serving() as (url, _):
        host, port = url.removeprefix("http://").split(":")
        for _time in range(30):
            with socket.create_connection((host, int(port)), 20) as one:
                one.sendall(b"no http at all\r\n\r\n")
                one.recv(1000)
    told = [record.getMessage() for record in caplog.records if record.name == "uvicorn.error"]
    assert told == ["Invalid HTTP request received."]
