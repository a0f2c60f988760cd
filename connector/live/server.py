"""An HTTP server in a thread of its own.

Owns: its socket, its certificate, its limits against clients that never come to an end.
Never does: answering (`receiver.py`).
Tested in: tests/unit/live/test_server.py.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
import ssl
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from connector.errors import ConfigError, Subject, UsageError

CONNECTIONS = 200
"""Requests and connections at once; beyond it 503, which Dataverse sends once more."""
HEAD = 16 * 1024
"""Bytes of a request before its body."""
PATIENCE = 10.0
"""Seconds within which a client that has no request at work has to bring a whole head."""
RARELY = 100
"""Of so many lines that say the same, one is logged."""
GOODBYE = 2
"""Seconds for answers under way at the end."""


class _Protocol(H11Protocol):
    """HTTP/1.1 by h11, which bounds the size of a request's head, not how long it may take.

    Whoever connects and says nothing would keep one of the connections for good.
    """

    _hurry: asyncio.TimerHandle | None = None

    @property
    def _idle(self) -> bool:
        """Whether the client's next request is still to come, or to come whole."""
        return self.cycle is None or self.cycle.response_complete  # type: ignore[redundant-expr]

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._hurry = self.loop.call_later(PATIENCE, transport.abort)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if not self._idle:
            self._take_time()
        elif self._hurry is None:
            self._hurry = self.loop.call_later(PATIENCE, self.transport.abort)

    def connection_lost(self, exc: Exception | None) -> None:
        self._take_time()
        super().connection_lost(exc)

    def _take_time(self) -> None:
        if self._hurry is not None:
            self._hurry.cancel()
            self._hurry = None

    def shutdown(self) -> None:
        """Close now if idle: a TLS goodbye would wait for clients that keep connections."""
        if self._idle and self.transport.get_write_buffer_size() == 0:
            self.transport.abort()
        else:
            super().shutdown()


class _Rarely(logging.Filter):
    """Lets the first of one message pass and every hundredth: anybody may send what is no HTTP."""

    def __init__(self) -> None:
        super().__init__()
        self._seen: Counter[str] = Counter()

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether it is told."""
        self._seen[str(record.msg)] += 1
        return self._seen[str(record.msg)] % RARELY == 1


class _Quiet(uvicorn.Server):
    """A server that says when it takes requests."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()


class Server:
    """Serves an application at `address`, with https where there is a certificate.

    Raises `UsageError` (`port-in-use`) and `ConfigError` (`serve-certificate`) when made.
    """

    def __init__(self, app: ASGIApp, address: tuple[str, int], certificate: Path | None) -> None:
        log = logging.getLogger("uvicorn.error")
        log.setLevel(logging.WARNING)
        log.filters[:] = [_Rarely()]
        config = uvicorn.Config(
            app,
            http=_Protocol,
            loop="asyncio",
            lifespan="off",
            ws="none",
            ssl_certfile=None if certificate is None else str(certificate),
            log_config=None,
            access_log=False,  # a key may stand in the address
            server_header=False,
            limit_concurrency=CONNECTIONS,
            h11_max_incomplete_event_size=HEAD,
            timeout_graceful_shutdown=GOODBYE,
        )
        try:
            config.load()
        except (OSError, ssl.SSLError) as error:
            raise ConfigError(
                "serve-certificate",
                f"{certificate} cannot be used as a certificate",
                cause=getattr(error, "strerror", None) or str(error),
                remedy="write certificate chain and private key, without a password, into one "
                "PEM file this user can read",
                subject=Subject(field="serve.certificate"),
            ) from error
        self._socket = _listen(*address)
        self._server = _Quiet(config)
        scheme = "http" if certificate is None else "https"
        host, port = self._socket.getsockname()[:2]
        self.url = f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"
        """Where it listens; a port 0 is the one that was found free."""

    def serve(self, ended: threading.Event) -> None:
        """Answer until `ended`."""

        def end() -> None:
            ended.wait()
            self._server.should_exit = True

        threading.Thread(target=end, name="server-end", daemon=True).start()
        self._server.run(sockets=[self._socket])

    def wait_until_ready(self, alive: Callable[[], bool]) -> None:
        """Until it takes requests; `alive` tells whether its thread still runs."""
        while not self._server.ready.wait(0.1) and alive():
            pass

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(512)
    except OSError as error:
        listener.close()
        if error.errno not in (errno.EADDRINUSE, errno.EACCES, errno.EADDRNOTAVAIL):
            raise
        raise UsageError(
            "port-in-use",
            f"port {port} of {host} cannot be used",
            remedy="choose another address as serve.listen",
            cause=error.strerror,
        ) from error
    return listener
