"""The HTTP face of the sandbox: routes, tokens, headers, faults.

Owns: what happens to a request before and after the organization service.
Never does: the service's meaning (`service.py`), sockets and certificates (`run.py`).
Tested in: tests/integration/sandbox/test_faults.py, test_tokens.py.

Facts: "Dataverse Web API: compose-http-requests-handle-errors", "api-limits". Everything runs
in the event loop: the work is short, and one thread needs no lock around the database.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from email.utils import formatdate

from starlette.applications import Starlette
from starlette.requests import Request as HttpRequest
from starlette.responses import Response as HttpResponse
from starlette.routing import Route

from connector.sandbox.dataverse import access_errors, errors
from connector.sandbox.dataverse.limits import PROFILES, Limits, Protection, Window, refusal_of
from connector.sandbox.dataverse.messages import Request, error_response
from connector.sandbox.dataverse.pages.browsing import ROOT, Pages
from connector.sandbox.dataverse.service import Service
from connector.sandbox.dataverse.switches import Switches
from connector.sandbox.faults import Fault, FaultKind, Faults, kind_of
from connector.sandbox.identity.managed_identity import ManagedIdentity
from connector.sandbox.identity.people import AGENT_CLIENT_ID
from connector.sandbox.identity.tokens import Directory
from connector.sandbox.messages import Response
from connector.sandbox.spoiled import Cut, Dropped, spoiled
from connector.sandbox.switching import answering

AFFINITY = "ARRAffinity"
DEFAULT_RETRY_AFTER_SECONDS = 1
MAX_URL = 32_768
"""Characters of path and query."""
METHODS = ["GET", "POST", "PATCH", "PUT", "DELETE"]


class Face:
    """All routes of one sandbox."""

    def __init__(
        self,
        service: Service,
        directory: Directory,
        machine: ManagedIdentity,
        limits: Limits = PROFILES["fast"],
    ) -> None:
        self._service = service
        self._directory = directory
        self._machine = machine
        self._faults = Faults()
        self._protection = Protection(limits)
        self._pages = Pages(service, AGENT_CLIENT_ID)
        self._switches = Switches(service, self._faults, self._protection, limits)

    def application(self) -> Starlette:
        """The ASGI application."""
        data = self._faults.watched(self._data)
        return Starlette(
            routes=[
                Route("/api/data/{version}", data, methods=METHODS),
                Route("/api/data/{version}/{path:path}", data, methods=METHODS),
                *(
                    Route(f"/sandbox/{name}", answering(act), methods=methods)
                    for name, (act, methods) in self._switches.acts.items()
                ),
                Route(ROOT, self._page),
                Route(ROOT + "/{path:path}", self._page, methods=["GET", "POST"]),
                Route("/{path:path}", self._identity, methods=METHODS),
            ]
        )

    # ------------------------------------------------------------------------ data

    async def _data(self, http: HttpRequest) -> HttpResponse:
        """One request to the organization service."""
        body = await http.body()
        raw_path = http.scope["raw_path"].decode("latin-1")
        root, version, path = _split_root(raw_path)
        query = http.scope["query_string"].decode("latin-1")
        self._faults.requests[kind_of(http.method, path, query)] += 1
        origin = f"https://{http.headers.get('host', '')}"
        user = self._user(http, origin)
        if isinstance(user, Response):
            return self._http(user)
        request = Request(http.method, origin + root, path, query, http.headers, body, user)
        server = self._protection.server(http.cookies.get(AFFINITY)) if self._limited else ""
        window = self._protection.window(user, server)
        refusal = window.enter()
        if refusal is not None:
            answer: HttpResponse = self._http(
                self._finish(error_response(refusal, http.headers), window)
            )
        else:
            began, seconds = time.monotonic(), 0.0
            try:
                answer, seconds = await self._answer(request, version, window)
                if (rest := seconds - (time.monotonic() - began)) > 0:
                    await asyncio.sleep(rest)
            finally:
                window.leave(max(seconds, time.monotonic() - began))
        if self._limited and AFFINITY not in http.cookies:
            answer.set_cookie(AFFINITY, server, secure=True, httponly=True)
        return answer

    async def _answer(
        self, request: Request, version: str, window: Window
    ) -> tuple[HttpResponse, float]:
        """The answer to a request that was let in, and the execution time it is worth."""
        found = self._faults.meet(request.method, f"{request.path}?{request.query}")
        kind, fault = found or (None, None)
        if kind is FaultKind.UNAUTHORIZED:
            return self._http(self._directory.challenge(request.base.partition("/api/")[0])), 0.0
        instead = spoiled(kind)
        if instead is not None:
            return instead, 0.0
        if kind is FaultKind.SLOW and fault is not None:
            await self._faults.be_slow(fault)
        refusal = None if fault is None else _met(request, kind, fault)
        refusal = refusal or _unreadable(request, version)
        before = self._service.storage.version
        if refusal is not None:
            response = error_response(refusal, request.headers)
        else:
            response = self._service.run(request)
        # Every row written takes a version, so the counter tells how many there were.
        written = self._service.storage.version - before
        seconds = self._protection.limits.cost(written, response.rows)
        if kind is FaultKind.LOST_REPLY:
            return Dropped(), seconds
        answer = self._http(self._finish(response, window))
        if kind is FaultKind.CUT:
            answer = Cut(answer.body, answer.status_code, answer.headers)
        return answer, seconds

    @property
    def _limited(self) -> bool:
        return self._protection.limits.limited

    def _user(self, http: HttpRequest, origin: str) -> str | Response:
        """The caller's user id, or the answer that turns the caller away."""
        grant = self._directory.check(http.headers.get("authorization", ""))
        if grant is None or _port(grant.audience) != _port(origin):
            return self._directory.challenge(origin)
        user = self._service.user_of(grant.client_id)
        return error_response(access_errors.not_a_member(), http.headers) if user is None else user

    def _finish(self, response: Response, window: Window) -> Response:
        """With the headers of every answer: recommended parallelism, what the limits leave."""
        requests, seconds = window.left()
        response.headers |= {
            "x-ms-dop-hint": str(self._protection.limits.dop),
            "x-ms-ratelimit-burst-remaining-xrm-requests": str(requests),
            "x-ms-ratelimit-time-remaining-xrm-requests": f"{seconds:.2f}",
            "x-ms-service-request-id": str(uuid.uuid4()),
        }
        return response

    def _http(self, response: Response) -> HttpResponse:
        """With the time of the organization's clock, by which clients notice theirs is off."""
        date = formatdate(self._service.storage.clock.now(), usegmt=True)
        return HttpResponse(response.body, response.status, {**response.headers, "Date": date})

    # ------------------------------------------------------------------------ identity

    async def _identity(self, http: HttpRequest) -> HttpResponse:
        """The identity provider; it shares the host."""
        origin = f"https://{http.headers.get('host', '')}"
        path = http.scope["raw_path"].decode("latin-1")
        response = self._directory.handle(http.method, path, await http.body(), origin)
        if response is None and http.method == "GET":
            query = http.scope["query_string"].decode("latin-1")
            response = self._machine.handle(path, query, http.headers, origin)
        if response is None:
            return HttpResponse(status_code=404)
        self._faults.requests["token" if path.endswith("/token") else "discovery"] += 1
        return self._http(response)

    # ------------------------------------------------------------------------ people

    async def _page(self, http: HttpRequest) -> HttpResponse:
        """What a person with a browser sees; no token, as for the switches."""
        origin = f"https://{http.headers.get('host', '')}"
        query = http.scope["query_string"].decode("latin-1")
        filed = await http.body() if http.method == "POST" else None
        return self._http(self._pages.answer(http.url.path, query, origin, filed))


def _met(request: Request, kind: FaultKind | None, fault: Fault) -> errors.WireError | None:
    """The refusal a fault stands for, if it is one."""
    if kind is FaultKind.THROTTLE:
        wait = fault.retry_after
        refusal = refusal_of(fault.limit, DEFAULT_RETRY_AFTER_SECONDS if wait is None else wait)
        if not fault.header:
            del refusal.headers["Retry-After"]
        return refusal
    if kind is FaultKind.UNAVAILABLE:
        return access_errors.unavailable(fault.retry_after)
    if kind is FaultKind.FORBIDDEN:
        return access_errors.privilege_denied(request.user, request.method, request.path)
    return None


def _unreadable(request: Request, version: str) -> errors.WireError | None:
    """Why a request does not reach the organization."""
    if len(request.path) + len(request.query) > MAX_URL:
        return errors.url_too_long(MAX_URL)
    if not version.startswith("v9."):
        return errors.no_such_resource(f"{request.base}/{request.path}")
    return None


def _split_root(raw_path: str) -> tuple[str, str, str]:
    """`/api/data/v9.2/x/y` as (`/api/data/v9.2`, `v9.2`, `x/y`)."""
    _, api, data, version, *rest = raw_path.split("/", 4)
    return f"/{api}/{data}/{version}", version, rest[0] if rest else ""


def _port(origin: str) -> str:
    return origin.rpartition(":")[2].rstrip("/")
