"""The HTTP face of the stand-in: routes, tokens, faults.

Owns: what happens to a request before and after the service.
Never does: the service's meaning (`service.py`), sockets and certificates (`run.py`).
Tested in: tests/integration/sandbox/finops/test_door.py, test_faults.py.

Facts: "Finance and Operations: services-home-page" (the audience is the address without a slash at
its end), "service-protection-api-limits" (429 for lack of resources, with Retry-After). Who is not
mapped gets a page of HTML with the 401; what a missing token gets is not documented.
"""

from __future__ import annotations

from collections.abc import Callable
from email.utils import formatdate
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.requests import Request as HttpRequest
from starlette.responses import Response as HttpResponse
from starlette.routing import Route

from connector.sandbox.faults import Fault, FaultKind, Faults, kind_of
from connector.sandbox.finops import errors
from connector.sandbox.finops.blobs import ROOT as BLOBS
from connector.sandbox.finops.messages import Request
from connector.sandbox.finops.metadata import rest_metadata
from connector.sandbox.finops.pages import ROOT as PAGES
from connector.sandbox.finops.pages import Pages
from connector.sandbox.finops.people import User
from connector.sandbox.finops.recurring import ROOT as CONNECTOR
from connector.sandbox.finops.service import Service
from connector.sandbox.finops.switches import Switches
from connector.sandbox.identity.tokens import Directory
from connector.sandbox.messages import Response
from connector.sandbox.spoiled import Cut, Dropped, spoiled
from connector.sandbox.switching import answering

DATA = "/data"
METHODS = ["GET", "POST", "PATCH", "PUT", "DELETE"]
DEFAULT_RETRY_AFTER_SECONDS = 1
SIGN_IN_PAGE = (
    b"<!DOCTYPE html><html><head><title>Unauthorized</title></head><body><h2>401 - Unauthorized: "
    b"Access is denied due to invalid credentials.</h2></body></html>"
)


class Face:
    """All routes of one environment; `authority` is where its tokens come from."""

    def __init__(self, service: Service, directory: Directory, authority: str) -> None:
        self._service = service
        self._directory = directory
        self._authority = authority
        self._faults = Faults()
        self._pages = Pages(service.run)
        self._switches = Switches(service, self._faults)

    def application(self) -> Starlette:
        """The ASGI application."""
        data, blob = self._faults.watched(self._data), self._faults.watched(self._blob)
        return Starlette(
            routes=[
                Route(DATA, data, methods=METHODS),
                Route(DATA + "/{path:path}", data, methods=METHODS),
                Route(CONNECTOR + "/{path:path}", data, methods=["GET", "POST"]),
                Route("/metadata/{path:path}", self._metadata, methods=["GET"]),
                Route(BLOBS + "/{name}", blob, methods=["GET", "PUT"]),
                Route(PAGES, self._page, methods=["GET"]),
                Route(PAGES + "/{path:path}", self._page, methods=["GET"]),
                *(
                    Route(f"/sandbox/{name}", answering(act, errors.AxError), methods=methods)
                    for name, (act, methods) in self._switches.acts.items()
                ),
            ]
        )

    # ------------------------------------------------------------------------ data

    async def _data(self, http: HttpRequest) -> HttpResponse:
        """One request to the service."""
        body = await http.body()
        raw_path = http.scope["raw_path"].decode("latin-1")
        root = CONNECTOR if raw_path.startswith(CONNECTOR) else DATA
        path = raw_path.removeprefix(root).removeprefix("/")
        query = http.scope["query_string"].decode("latin-1")
        self._faults.requests[kind_of(http.method, path, query)] += 1
        user = self._user(http)
        if isinstance(user, HttpResponse):
            return user
        request = Request(http.method, _origin(http) + root, path, query, http.headers, body, user)
        place = f"{path}?{query}"
        return await self._with_faults(
            http.method, place, _origin(http), lambda: self._service.run(request)
        )

    async def _with_faults(
        self, method: str, place: str, origin: str, run: Callable[[], Response]
    ) -> HttpResponse:
        """The answer that `run` makes, or what a fault makes of it."""
        kind, fault = self._faults.meet(method, place) or (None, None)
        if kind is FaultKind.UNAUTHORIZED:
            return self._challenge(origin)
        instead = spoiled(kind)
        if instead is not None:
            return instead
        if kind is FaultKind.SLOW and fault is not None:
            await self._faults.be_slow(fault)
        refusal = None if fault is None else _met(kind, fault)
        response = run() if refusal is None else refusal.response()
        if kind is FaultKind.LOST_REPLY:
            return Dropped()
        answer = self._http(response)
        if kind is FaultKind.CUT:
            return Cut(answer.body, answer.status_code, answer.headers)
        return answer

    async def _metadata(self, http: HttpRequest) -> HttpResponse:
        """The description beside the data."""
        user = self._user(http)
        if isinstance(user, HttpResponse):
            return user
        found = rest_metadata(http.path_params["path"], f"{_origin(http)}/metadata")
        return self._http(found or errors.no_such_resource(str(http.url)).response())

    async def _blob(self, http: HttpRequest) -> HttpResponse:
        """A file of the storage account: no token, a signature in the address."""
        body = await http.body()
        name, path = http.path_params["name"], http.url.path
        query = http.scope["query_string"].decode("latin-1")
        self._faults.requests[f"{http.method} {BLOBS.strip('/')}"] += 1
        blobs = self._service.data_management.blobs

        def answer() -> Response:
            return blobs.answer(http.method, name, query, http.headers, body)

        return await self._with_faults(http.method, path, _origin(http), answer)

    async def _page(self, http: HttpRequest) -> HttpResponse:
        """What a person with a browser sees; no token, as for the switches."""
        path = http.scope["raw_path"].decode("latin-1")
        query = http.scope["query_string"].decode("latin-1")
        return self._http(self._pages.answer(path, query, _origin(http)))

    def _user(self, http: HttpRequest) -> User | HttpResponse:
        """The caller, or the answer that turns the caller away."""
        grant = self._directory.check(http.headers.get("authorization", ""))
        own = _origin(http)
        if (
            grant is None
            or urlsplit(grant.audience).port != urlsplit(own).port
            or grant.audience.endswith("/")
        ):
            return self._challenge(own)
        user = self._service.people.of(grant.client_id)
        if user is None:
            return HttpResponse(SIGN_IN_PAGE, 401, media_type="text/html")
        return user

    def _challenge(self, origin: str) -> HttpResponse:
        """401 for want of a good token."""
        place = f"{self._authority}/oauth2/authorize"
        header = f"Bearer authorization_uri={place}, resource_id={origin}"
        return HttpResponse(status_code=401, headers={"WWW-Authenticate": header})

    def _http(self, response: Response) -> HttpResponse:
        """With the time of this side's clock."""
        date = formatdate(self._service.storage.clock.now(), usegmt=True)
        return HttpResponse(response.body, response.status, {**response.headers, "Date": date})


def _met(kind: FaultKind | None, fault: Fault) -> errors.AxError | None:
    """The refusal a fault stands for, if it is one."""
    wait = DEFAULT_RETRY_AFTER_SECONDS if fault.retry_after is None else fault.retry_after
    if kind is FaultKind.THROTTLE:
        return errors.exhausted(wait if fault.header else None)
    if kind is FaultKind.UNAVAILABLE:
        return errors.unavailable(fault.retry_after)
    if kind is FaultKind.FORBIDDEN:
        return errors.denied("the role does not allow this")
    return None


def _origin(http: HttpRequest) -> str:
    return f"https://{http.headers.get('host', '')}"
