"""A reply that trickles in is given up in time, wherever it stalls."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests
import trustme

from connector.endpoints.dataverse.service import NAMING
from connector.endpoints.finops.exports import download
from connector.endpoints.finops.exports.download import Downloads
from connector.endpoints.web import credentials, oauth
from connector.endpoints.web.credentials import Application
from connector.endpoints.web.deadline import Adapter, within
from connector.endpoints.web.oauth import ClientCredentials
from connector.errors import UnreachableError

DROP = 0.05
"""Seconds between two bytes of a reply that trickles."""
Serve = Callable[..., str]


@pytest.fixture
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def serve(authority: trustme.CA) -> Iterator[Serve]:
    """A TLS server on this machine that treats each connection as it is told."""
    listener = socket.create_server(("127.0.0.1", 0))
    closing = threading.Event()

    def started(treat: Callable[[ssl.SSLSocket], None], name: str = "127.0.0.1") -> str:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(name).configure_cert(context)

        def accept() -> None:
            while not closing.is_set():
                with contextlib.suppress(OSError):
                    plain, _ = listener.accept()
                    with context.wrap_socket(plain, server_side=True) as one:
                        while one.recv(65536):
                            treat(one)

        threading.Thread(target=accept, daemon=True).start()
        return f"https://127.0.0.1:{listener.getsockname()[1]}/"

    yield started
    closing.set()
    listener.close()


@pytest.fixture
def session(authority: trustme.CA, tmp_path: Path) -> Iterator[requests.Session]:
    ca = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(ca))
    with requests.Session() as one:
        one.mount("https://", Adapter())
        one.verify = str(ca)
        one.trust_env = False
        yield one


def drops(text: bytes) -> Callable[[ssl.SSLSocket], None]:
    """Each byte well within the timeout of a read, all of them far beyond."""

    def treat(one: ssl.SSLSocket) -> None:
        for byte in text:
            one.send(bytes([byte]))
            time.sleep(DROP)

    return treat


HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n"


@pytest.mark.parametrize("text", [HEAD.replace(b"OK", b"O" * 500), HEAD + b"x" * 500])
def test_a_reply_that_trickles_is_given_up(
    serve: Serve, session: requests.Session, text: bytes
) -> None:
    url, before = serve(drops(text)), time.monotonic()
    with pytest.raises(requests.RequestException, match=r"timed out|Timeout"), within(0.5):
        session.get(url, timeout=5)
    assert time.monotonic() - before < len(text) * DROP / 2


def test_the_next_request_has_time_of_its_own(serve: Serve, session: requests.Session) -> None:
    url = serve(lambda one: one.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"))
    for _ in range(2):
        with within(2.0):
            assert session.get(url, timeout=30).text == "ok"
    time.sleep(2.1)
    assert session.get(url, timeout=30).text == "ok"
    with within(2.0):
        assert session.get(url, timeout=30).text == "ok"


def test_a_certificate_of_a_stranger_is_still_refused(
    serve: Serve, session: requests.Session
) -> None:
    session.verify = True
    with pytest.raises(requests.exceptions.SSLError, match="verify failed"), within(5):
        session.get(serve(drops(b"")), timeout=5)


def test_a_certificate_of_another_host_is_still_refused(
    serve: Serve, session: requests.Session
) -> None:
    with pytest.raises(requests.exceptions.SSLError, match="verify failed"), within(5):
        session.get(serve(drops(b""), "other.example"), timeout=5)


# ---------------------------------------------------------------------------- who keeps to it


def token_of_a_server(url: str, ca: str) -> None:
    ClientCredentials(url, "client", "secret", scope=None, ca=ca, naming=NAMING).ask()


def token_of_a_directory(url: str, ca: str) -> None:
    Application(f"{url}tenant", "client", "secret", "https://x.example", ca, naming=NAMING).ask()


def package(url: str, ca: str) -> None:
    downloads = Downloads(ca, 5.0, local=True)
    try:
        downloads.fetch(url, Path(ca).with_name("package"))
    finally:
        downloads.close()


@pytest.mark.parametrize("ask", [token_of_a_server, token_of_a_directory, package])
def test_tokens_and_packages_are_not_waited_for_without_end(
    ask: Callable[[str, str], None],
    serve: Serve,
    authority: trustme.CA,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for module, name in ((oauth, "TIMEOUT"), (credentials, "TIMEOUT"), (download, "WHOLE")):
        monkeypatch.setattr(module, name, 0.4)
    ca = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(ca))
    url, before = serve(drops(HEAD + b"x" * 500)), time.monotonic()
    with pytest.raises(UnreachableError):
        ask(url, str(ca))
    assert time.monotonic() - before < 500 * DROP / 2
