"""A receiver of webhooks for tests: it remembers what it gets and answers what it is told."""

from __future__ import annotations

import json
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

PATIENCE_SECONDS = 120
POLL_SECONDS = 0.02


class Got(NamedTuple):
    """One request as it arrived; header names are lower case."""

    path: str
    headers: dict[str, str]
    body: bytes
    context: dict[str, Any]


class Receiver:
    """What arrived so far. `answers` are the next statuses, then 200.

    One that `hangs_up` closes each connection after an answer, without saying so.
    """

    def __init__(self, port: int, scheme: str) -> None:
        self.url = f"{scheme}://127.0.0.1:{port}/hook"
        self.answers: list[int] = []
        self.hangs_up = False
        self._got: list[Got] = []
        self._news = threading.Condition()

    def take(self, got: Got) -> int:
        """Remember one request; the status to answer."""
        with self._news:
            self._got.append(got)
            self._news.notify_all()
            return self.answers.pop(0) if self.answers else 200

    def wait(self, number: int) -> list[Got]:
        """The first `number` requests, as soon as they are there."""
        with self._news:
            arrived = self._news.wait_for(lambda: len(self._got) >= number, PATIENCE_SECONDS)
            assert arrived, f"{len(self._got)} of {number} arrived"
            return self._got[:number]

    def nothing_more(self, number: int, settled: Callable[[], bool]) -> None:
        """Exactly `number` requests have come when `settled` says that nothing is on its way."""
        end = time.monotonic() + PATIENCE_SECONDS
        while not settled():
            assert time.monotonic() < end
            time.sleep(0.01)
        assert len(self._got) == number


@contextmanager
def receiving(context: ssl.SSLContext | None = None) -> Iterator[Receiver]:
    """A receiver on a free port; over TLS with a server's `context`."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            status = receiver.take(Got(self.path, headers, body, json.loads(body)))
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()
            self.close_connection = receiver.hangs_up

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    receiver = Receiver(server.server_address[1], "http" if context is None else "https")
    thread = threading.Thread(target=server.serve_forever, args=(POLL_SECONDS,), daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
