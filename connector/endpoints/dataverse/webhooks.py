"""Having Dataverse notify us: one service endpoint, and a step per table and message.

Owns: what is to be registered, the difference to what is, and the requests in between.
Never does: receiving notices (`connector/live/`); touching registrations of others.
Tested in: tests/unit/endpoints/dataverse/test_webhooks.py, tests/acceptance/test_provision.py.

Facts: "Dataverse: register-web-hook" and "use-webhooks" (contract 8, a key in a header, columns
that filter updates), the tables serviceendpoint and sdkmessageprocessingstep. The XML of several
headers is not documented; this is what Microsoft's registration tool writes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import ClassVar, TypeAlias
from xml.sax.saxutils import quoteattr

from connector.endpoints.dataverse.exchange import Exchange, Json
from connector.endpoints.web.transport import Transport
from connector.errors import MapError, Subject
from connector.odata.literals import literal
from connector.odata.queries import query_string

KEY_HEADER = "x-dualwrite-key"
MESSAGES = ("Create", "Update", "Delete")
_WEBHOOK = 8
_IN_HEADERS = 5
_AS_JSON = 2
_AFTER_COMMIT = {"stage": 40, "mode": 1, "rank": 1, "supporteddeployment": 0}
_ENDPOINTS, _STEPS = "serviceendpoints", "sdkmessageprocessingsteps"


@dataclass(frozen=True, slots=True)
class Hook:
    """One table and message we are told of; `columns` filter updates and are empty for others."""

    table: str
    message: str
    columns: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Registered:
    """A step that is there, by its id."""

    id: str
    hook: Hook


@dataclass(frozen=True, slots=True)
class Register:
    """Register a step."""

    kind: ClassVar[str] = "register"
    hook: Hook

    def __str__(self) -> str:
        return f"be told of {self.hook.message} of {self.hook.table}"


@dataclass(frozen=True, slots=True)
class Refine:
    """Change the columns whose updates a step tells of."""

    kind: ClassVar[str] = "refine"
    registered: Registered
    hook: Hook

    def __str__(self) -> str:
        return f"be told of {self.hook.message} of other columns of {self.hook.table}"


@dataclass(frozen=True, slots=True)
class Unregister:
    """Remove a step."""

    kind: ClassVar[str] = "unregister"
    registered: Registered

    def __str__(self) -> str:
        hook = self.registered.hook
        return f"no longer be told of {hook.message} of {hook.table}"


HookStep: TypeAlias = Register | Refine | Unregister


def hooks_of(tables: Mapping[str, Iterable[str]]) -> list[Hook]:
    """What we want to be told of: every write of these tables, updates of these columns only."""
    return [
        Hook(table, message, frozenset(columns) if message == "Update" else frozenset())
        for table, columns in tables.items()
        for message in MESSAGES
    ]


def hook_steps(wanted: Iterable[Hook], there: Iterable[Registered]) -> list[HookStep]:
    """The difference. Pure; a step registered twice is removed once."""
    spare = list(there)
    steps: list[HookStep] = []
    for hook in wanted:
        found = _take(spare, hook)
        if found is None:
            steps.append(Register(hook))
        elif found.hook.columns != hook.columns:
            steps.append(Refine(found, hook))
    return [*steps, *map(Unregister, spare)]


def _take(spare: list[Registered], hook: Hook) -> Registered | None:
    for place, one in enumerate(spare):
        if (one.hook.table, one.hook.message) == (hook.table, hook.message):
            return spare.pop(place)
    return None


class Webhooks:
    """Our registrations in one organization: those of the endpoint named after our user."""

    def __init__(self, transport: Transport) -> None:
        self._exchange = Exchange(transport)
        self._name: str | None = None

    def registered(self) -> list[Registered]:
        """Every step of ours."""
        endpoint = self._endpoint()
        if endpoint is None:
            return []
        options = {
            "$select": "name,filteringattributes,_sdkmessageid_value,_sdkmessagefilterid_value",
            "$filter": f"_eventhandler_value eq {endpoint}",
        }
        rows = self._values(_STEPS, options)
        messages, tables = self._messages(), self._tables(rows)
        return [
            Registered(
                str(row["sdkmessageprocessingstepid"]),
                Hook(
                    tables.get(str(row.get("_sdkmessagefilterid_value")), ""),
                    messages.get(str(row.get("_sdkmessageid_value")), ""),
                    frozenset(filter(None, (row.get("filteringattributes") or "").split(","))),
                ),
            )
            for row in rows
        ]

    def point_to(self, url: str, key: str) -> None:
        """Have our endpoint send to `url` with `key`; both are set anew, for the key is hidden."""
        setting = f'<setting name="{KEY_HEADER}" value={quoteattr(key)}/>'
        settings = f"<settings>{setting}</settings>"
        body = {"url": url, "authtype": _IN_HEADERS, "authvalue": settings}
        endpoint = self._endpoint()
        what = f"send notices to {url}"
        if endpoint is None:
            new = {"name": self._own_name(), "contract": _WEBHOOK, "messageformat": _AS_JSON}
            self._exchange.change("POST", _ENDPOINTS, {**new, **body}, what)
        else:
            path = f"{_ENDPOINTS}({endpoint})"
            self._exchange.change("PATCH", path, body, what, {"If-Match": "*"})

    def carry_out(self, step: HookStep) -> None:
        """One step; the endpoint is there."""
        match step:
            case Register(hook):
                self._exchange.change("POST", _STEPS, self._step(hook), step)
            case Refine(registered, hook):
                path = f"{_STEPS}({registered.id})"
                body = {"filteringattributes": _listed(hook)}
                self._exchange.change("PATCH", path, body, step, {"If-Match": "*"})
            case Unregister(registered):
                self._exchange.change("DELETE", f"{_STEPS}({registered.id})", None, step)

    def remove_endpoint(self) -> None:
        """Remove our endpoint, whose steps are gone; nothing where there is none."""
        endpoint = self._endpoint()
        if endpoint is not None:
            self._exchange.change("DELETE", f"{_ENDPOINTS}({endpoint})", None, "end the notices")

    # ------------------------------------------------------------------------ reading

    def _own_name(self) -> str:
        """Of our own, so that two deployments in one organization do not meet."""
        if self._name is None:
            user = self._exchange.read("WhoAmI", "WhoAmI", user=0)["UserId"]
            self._name = f"dualwrite {str(user).lower()}"
        return self._name

    def _endpoint(self) -> str | None:
        where = f"name eq {literal(self._own_name())} and contract eq {_WEBHOOK}"
        found = self._values(_ENDPOINTS, {"$select": "serviceendpointid", "$filter": where})
        return str(found[0]["serviceendpointid"]) if found else None

    def _step(self, hook: Hook) -> Json:
        endpoint = self._endpoint()
        message = next(id for id, name in self._messages().items() if name == hook.message)
        where = (
            f"primaryobjecttypecode eq {literal(hook.table)} and _sdkmessageid_value eq {message}"
        )
        filters = self._values(
            "sdkmessagefilters", {"$select": "sdkmessagefilterid", "$filter": where}
        )
        if not filters:
            raise MapError(
                "message-unsupported",
                f"Dataverse tells nobody of {hook.message} of {hook.table}",
                remedy="leave this table to polling: run the command with --map for the others",
                subject=Subject(side="dataverse", entity=hook.table),
            )
        body: Json = {
            "name": f"dualwrite: {hook.message} of {hook.table}",
            **_AFTER_COMMIT,
            "asyncautodelete": True,
            "eventhandler_serviceendpoint@odata.bind": f"/{_ENDPOINTS}({endpoint})",
            "sdkmessageid@odata.bind": f"/sdkmessages({message})",
            "sdkmessagefilterid@odata.bind": (
                f"/sdkmessagefilters({filters[0]['sdkmessagefilterid']})"
            ),
        }
        return {**body, "filteringattributes": _listed(hook)} if hook.columns else body

    def _messages(self) -> dict[str, str]:
        """Names of the messages by id."""
        where = " or ".join(f"name eq {literal(name)}" for name in MESSAGES)
        options = {"$select": "sdkmessageid,name", "$filter": where}
        rows = self._values("sdkmessages", options)
        return {str(row["sdkmessageid"]): str(row["name"]) for row in rows}

    def _tables(self, steps: Iterable[Json]) -> dict[str, str]:
        """Logical names of the tables, by the filter a step refers to."""
        ids = sorted({str(row["_sdkmessagefilterid_value"]) for row in steps})
        if not ids:
            return {}
        where = " or ".join(f"sdkmessagefilterid eq {id}" for id in ids)
        options = {"$select": "sdkmessagefilterid,primaryobjecttypecode", "$filter": where}
        rows = self._values("sdkmessagefilters", options)
        return {str(row["sdkmessagefilterid"]): str(row["primaryobjecttypecode"]) for row in rows}

    def _values(self, entity: str, options: Mapping[str, str]) -> list[Json]:
        found: list[Json] = self._exchange.read(f"{entity}?{query_string(options)}", entity)[
            "value"
        ]
        return found


def _listed(hook: Hook) -> str:
    return ",".join(sorted(hook.columns))
