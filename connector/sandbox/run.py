"""Starting and stopping the sandbox.

Owns: its folder, its socket, its secrets, the line that says it is ready, the subprocess form.
Never does: answering requests (`dataverse/app.py`, `dataverse/service.py`).
Tested in: tests/integration/sandbox/test_restart.py.
"""

from __future__ import annotations

import errno
import json
import logging
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, TypeAlias

import uvicorn
from cryptography.x509 import load_pem_x509_certificate
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from connector.errors import UnreachableError, UsageError
from connector.sandbox.certificates import certificates, client_certificate
from connector.sandbox.courier import Courier
from connector.sandbox.dataverse.app import Face
from connector.sandbox.dataverse.limits import PROFILES, Limits
from connector.sandbox.dataverse.pages.browsing import ROOT
from connector.sandbox.dataverse.service import Service
from connector.sandbox.finops.face import Face as FinopsFace
from connector.sandbox.finops.pages import ROOT as COMMERCE
from connector.sandbox.finops.service import Service as Finops
from connector.sandbox.identity.managed_identity import APP_SERVICE, ManagedIdentity
from connector.sandbox.identity.people import CLIENT_ID, CLIENTS, CONNECTOR, MEMBERS, TENANT
from connector.sandbox.identity.tokens import Application, Directory, kept_secret
from connector.sandbox.spoiled import DROP

HOST = "127.0.0.1"
KEEP_ALIVE_SECONDS = 120
SHUTDOWN_SECONDS = 3
START_SECONDS = 30
READY_PREFIX = b"{"

Ready: TypeAlias = dict[str, str]


class _Protocol(HttpToolsProtocol):
    """HTTP/1.1 that lets the application drop its connection, for lost replies."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["state"][DROP] = self.transport.abort

    def shutdown(self) -> None:
        """Close now if idle: a TLS goodbye would wait for clients that keep connections."""
        idle = self.cycle is None or self.cycle.response_complete  # type: ignore[redundant-expr]
        if idle and self.transport.get_write_buffer_size() == 0:
            self.transport.abort()
        else:
            super().shutdown()


class _Server(uvicorn.Server):
    """A server that says when it takes requests."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._ready()


class _Hosts:
    """Two services on two ports of one server: which of them a connection came to."""

    def __init__(self, by_port: Mapping[int, ASGIApp]) -> None:
        self._by_port = by_port

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand the request on."""
        await self._by_port[scope["server"][1]](scope, receive, send)


def run(
    folder: Path,
    port: int = 8443,
    ready: Callable[[Ready], None] = lambda _: None,
    *,
    finops_port: int | None = None,
    limits: Limits = PROFILES["fast"],
    webhook_ca: Path | None = None,
    empty: bool = False,
    samples: bool = False,
) -> None:
    """Serve `folder` on 127.0.0.1 until SIGTERM or SIGINT, then pass the signal on.

    `port` 0 takes a free one; `finops_port` is the next one to `port` if it is not given. `ready`
    gets the documented object once requests are taken. `webhook_ca` is a PEM file with the CAs
    of https receivers of webhooks. `empty` makes a new organization without loyalty tables,
    `samples` puts a few cards into a new Finance and Operations.

    Raises:
        UsageError: `sandbox-running` (the folder is in use), `port-in-use`,
            `sandbox-not-empty`.
        StateError: `sandbox-schema`, the folder was made by another version.
    """
    folder.mkdir(parents=True, exist_ok=True)
    beside = (port + 1 if port else 0) if finops_port is None else finops_port
    with (
        closing(Service(folder, MEMBERS, Courier(webhook_ca), empty=empty)) as service,
        closing(Finops(folder, samples=samples, event_ca=webhook_ca)) as finops,
        _listen(port, "--port") as listener,
        _listen(beside, "--finops-port") as other,
    ):
        _serve(folder, (service, finops), (listener, other), limits, ready)


def _listen(port: int, option: str) -> socket.socket:
    # With the protocol spelled out the event loop switches Nagle's delay off; otherwise an
    # answer in two writes waits 40 ms for the client's acknowledgement.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
        listener.listen(512)
    except OSError as error:
        listener.close()
        if error.errno not in (errno.EADDRINUSE, errno.EACCES):
            raise
        raise UsageError(
            "port-in-use",
            f"port {port} of {HOST} cannot be used",
            remedy=f"choose another with {option}, or 0 for any free one",
            cause=str(error),
        ) from error
    return listener


def _serve(
    folder: Path,
    services: tuple[Service, Finops],
    listeners: tuple[socket.socket, socket.socket],
    limits: Limits,
    ready: Callable[[Ready], None],
) -> None:
    """Serve Dataverse and Finance and Operations, in this order, until a signal comes."""
    port, finops_port = (one.getsockname()[1] for one in listeners)
    proof = client_certificate(folder)
    own = Application(
        CLIENT_ID,
        kept_secret(folder / "client_secret"),
        (load_pem_x509_certificate(proof.read_bytes()),),
        expired=kept_secret(folder / "expired_secret"),
    )
    others = {
        short: Application(client_id, kept_secret(folder / f"{short}_secret"))
        for short, client_id in CLIENTS.items()
        if short != CONNECTOR
    }
    key = kept_secret(folder / "signing_key")
    directory = Directory(TENANT, (own, *others.values()), key, frozenset({finops_port}))
    machine = ManagedIdentity(directory, CLIENT_ID, kept_secret(folder / "identity_header"))
    files = certificates(folder)
    origin = f"https://{HOST}:{port}"
    where: Ready = {
        "dataverse": origin,
        "finops": f"https://{HOST}:{finops_port}",
        "authority": f"{origin}/{TENANT}",
        "tenant": TENANT,
        "client_id": CLIENT_ID,
        "client_secret": own.secret,
        "ca": str(files.ca.absolute()),
        "client_certificate": str(proof.absolute()),
        "identity_endpoint": f"{origin}{APP_SERVICE}",
        "identity_header": machine.secret,
        "crm": f"{origin}{ROOT}",
        "commerce": f"https://{HOST}:{finops_port}{COMMERCE}",
    }
    for short, application in others.items():
        where[f"{short}_client_id"] = application.client_id
        where[f"{short}_client_secret"] = application.secret
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
    service, finops = services
    hosts = _Hosts(
        {
            port: Face(service, directory, machine, limits).application(),
            finops_port: FinopsFace(finops, directory, f"{origin}/{TENANT}").application(),
        }
    )
    config = uvicorn.Config(
        hosts,
        http=_Protocol,
        loop="asyncio",
        lifespan="off",
        ssl_certfile=files.server,
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,  # the application tells the time of the organization's clock
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
    )
    _Server(config, lambda: ready(where)).run(sockets=[*listeners])


# ---------------------------------------------------------------------------- subprocess


@contextmanager
def running(
    folder: Path,
    port: int = 0,
    *,
    finops_port: int = 0,
    profile: str = "fast",
    webhook_ca: Path | None = None,
    empty: bool = False,
    **numbers: float,
) -> Iterator[dict[str, Any]]:
    """A sandbox in a process of its own, ended with the block; yields its ready object.

    `numbers` are those of `Limits` that differ from the profile's.

    Raises `UnreachableError` (`sandbox-not-started`) with the end of its error output.
    """
    command = [sys.executable, "-m", "connector.sandbox", "--dir", str(folder), "--port", str(port)]
    command += ["--finops-port", str(finops_port), "--profile", profile]
    command += ["--limits", json.dumps(numbers)]
    command += [] if webhook_ca is None else ["--webhook-ca", str(webhook_ca)]
    command += ["--empty"] if empty else []
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log)  # noqa: S603
        impatience = threading.Timer(START_SECONDS, process.kill)
        impatience.start()
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            impatience.cancel()
            if not line.startswith(READY_PREFIX):
                process.wait(START_SECONDS)
                log.seek(0)
                raise UnreachableError(
                    "sandbox-not-started",
                    "the sandbox did not become ready",
                    tried=" ".join(command[1:]),
                    cause=log.read()[-2000:].decode(errors="replace").strip(),
                    remedy="see the cause; another --dir or --port may help",
                )
            yield json.loads(line)
        finally:
            impatience.cancel()
            _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ask the process to stop, and make it if it does not."""
    process.terminate()
    try:
        process.wait(2 * SHUTDOWN_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    finally:
        if process.stdout is not None:
            process.stdout.close()
