"""Webhooks: who is registered, and who is told of what was committed.

Owns: the registered steps, what a registration may say, matching writes to steps, keys.
Never does: the body (`contexts.py`), sending (`courier.py`).
Tested in: tests/integration/sandbox/test_webhooks.py.

Facts: "Dataverse: use-webhooks", "register-web-hook", "reference/entities/serviceendpoint".
A bulk message tells of each of its rows. The form of `authvalue` with several headers or
query parameters is not documented; `<settings><setting name="…" value="…"/></settings>`, which
the registration tool writes, is taken.
"""

from __future__ import annotations

import functools
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qs, urlencode, urlsplit

from lxml import etree

from connector.sandbox.courier import Courier, Letter, Message
from connector.sandbox.dataverse import errors
from connector.sandbox.dataverse.messages import Request
from connector.sandbox.dataverse.standard.platform_tables import (
    SERVICE_ENDPOINT,
    STEP,
    WEBHOOK_CONTRACT,
)
from connector.sandbox.dataverse.standard.seed import Identities
from connector.sandbox.dataverse.webhooks.contexts import (
    ASYNCHRONOUS,
    POST_OPERATION,
    Cause,
    execution_context,
)
from connector.sandbox.dataverse.webhooks.happenings import CREATE, DELETE, UPDATE, Happening, Topic
from connector.sandbox.dataverse.writing.payloads import Values
from connector.sandbox.dataverse.writing.records import Records

KEY, HEADERS, QUERY = 4, 5, 6
"""`authtype`: how a receiver knows its sender."""
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
MESSAGES = (CREATE, UPDATE, DELETE)
_OWN: frozenset[Topic] = frozenset(
    (message, table.name) for message in MESSAGES for table in (SERVICE_ENDPOINT, STEP)
)
_STEPS = (
    "SELECT step.sdkmessageprocessingstepid, step.name, step.filteringattributes, message.name, "
    "filter.primaryobjecttypecode, endpoint.url, endpoint.authtype, endpoint.authvalue "
    "FROM sdkmessageprocessingstep AS step "
    "JOIN serviceendpoint AS endpoint ON endpoint.serviceendpointid = step.eventhandler "
    "JOIN sdkmessage AS message ON message.sdkmessageid = step.sdkmessageid "
    "LEFT JOIN sdkmessagefilter AS filter ON filter.sdkmessagefilterid = step.sdkmessagefilterid "
    "WHERE step.statecode = 0 AND endpoint.url IS NOT NULL ORDER BY step.rank, step.name"
)


@dataclass(frozen=True, slots=True)
class Step:
    """One registered step with the receiver it is for; no columns means all."""

    id: str
    name: str
    columns: frozenset[str]
    url: str
    headers: tuple[tuple[str, str], ...]

    def concerns(self, happening: Happening) -> bool:
        """An update concerns it if it writes one of the columns, changed or not."""
        if happening.message != UPDATE or not self.columns:
            return True
        return not self.columns.isdisjoint(happening.values)


class Webhooks:
    """The registered steps of one organization."""

    def __init__(self, records: Records, identities: Identities, courier: Courier) -> None:
        self._records = records
        self._execute = records.storage.connection.execute
        self._identities = identities
        self._courier = courier
        self._steps: dict[Topic, list[Step]] = {}
        by_name = records.catalog.by_name
        records.reader(by_name[SERVICE_ENDPOINT.name]).rules.append(_check_endpoint)
        records.reader(by_name[STEP.name]).rules.append(self._check_step)

    def load(self) -> None:
        """Read what is registered; from now on only that is noted."""
        self._steps = {}
        for step, name, columns, message, table, url, kind, key in self._execute(_STEPS).fetchall():
            # Without a filter a step hears of every table.
            tables = (table,) if table else tuple(self._records.catalog.by_name)
            place, headers = _keyed(str(url), kind, key)
            names = frozenset(filter(None, (columns or "").replace(" ", "").split(",")))
            for one in tables:
                found = Step(str(step), name or "", names, place, headers)
                self._steps.setdefault((str(message), one), []).append(found)
        self._records.storage.happenings.wanted = _OWN | frozenset(self._steps)

    def tell(self, happenings: Sequence[Happening], request: Request) -> None:
        """Send what a committed request did to everybody it concerns; returns at once."""
        if any((one.message, one.table.name) in _OWN for one in happenings):
            self.load()
        cause = Cause(
            organization=self._identities.organization,
            organization_name="sandbox",
            business_unit=self._identities.business_unit,
            host=urlsplit(request.base).netloc,
            correlation=request.headers.get("x-ms-correlation-id") or str(uuid.uuid4()),
            request=str(uuid.uuid4()),
            tag=parse_qs(request.query).get("tag", [None])[0] if request.query else None,
        )
        for happening in happenings:
            for step in self._steps.get((happening.message, happening.table.name), ()):
                if step.concerns(happening):
                    write = functools.partial(_write, happening, cause, step)
                    self._courier.send(Letter(step.url, write))

    def _check_step(self, values: Values) -> None:
        """Refuse what is not modelled, so that nobody waits for it. Raises `WireError`."""
        if values.get("mode", ASYNCHRONOUS) != ASYNCHRONOUS:
            raise errors.not_implemented("A synchronous step on a webhook")
        if values.get("stage", POST_OPERATION) != POST_OPERATION:
            raise errors.bad_request(
                "Invalid Argument: an asynchronous step runs in stage 40.", "0x80040203"
            )
        message = values.get("sdkmessageid")
        name = self._execute(
            "SELECT name FROM sdkmessage WHERE sdkmessageid = ?", (message,)
        ).fetchone()
        if name is not None and name[0] not in MESSAGES:
            raise errors.not_implemented(f"A step on the message {name[0]}")


def _write(happening: Happening, cause: Cause, step: Step) -> Message:
    headers, body = execution_context(happening, cause, step.id, step.name)
    return {**headers, **dict(step.headers)}, body


def _check_endpoint(values: Values) -> None:
    """A receiver is a webhook on this machine; its key is kept and never shown again.

    Raises `WireError`.
    """
    if values.get("contract", WEBHOOK_CONTRACT) != WEBHOOK_CONTRACT:
        raise errors.not_implemented("A service endpoint that is no webhook")
    url = values.get("url")
    if url is not None:
        split = urlsplit(str(url))
        if split.scheme not in ("http", "https") or split.hostname not in LOOPBACK:
            raise errors.bad_request(
                "Invalid Argument: the sandbox sends webhooks to http(s) receivers on this "
                "machine only (127.0.0.1, ::1, localhost).",
                "0x80040203",
            )
    if "authvalue" in values:
        key = values["authvalue"]
        values["isauthvalueset"] = int(key is not None)
        if key is not None and values.get("authtype") in (HEADERS, QUERY):
            try:
                _settings(str(key))
            except ValueError as error:
                raise errors.bad_request(f"Invalid Argument: {error}", "0x80040203") from error


def _keyed(url: str, kind: object, key: object) -> tuple[str, tuple[tuple[str, str], ...]]:
    """The URL and the headers by which a receiver knows its sender."""
    if not isinstance(key, str):
        return url, ()
    if kind == KEY:
        return _with_query(url, [("code", key)]), ()
    pairs = _settings(key) if key.lstrip().startswith("<") else []
    if kind == QUERY:
        return _with_query(url, pairs), ()
    return url, tuple(pairs)


def _with_query(url: str, pairs: Iterable[tuple[str, str]]) -> str:
    return f"{url}{'&' if '?' in url else '?'}{urlencode(list(pairs))}"


def _settings(text: str) -> list[tuple[str, str]]:
    """The names and values of an `authvalue`. Raises `ValueError`."""
    try:
        parser = etree.XMLParser(resolve_entities=False, no_network=True)
        root = etree.fromstring(text, parser)
    except etree.XMLSyntaxError as error:
        raise ValueError("authvalue is not XML") from error
    pairs = [(one.get("name"), one.get("value")) for one in root.findall("setting")]
    found = [(name, value) for name, value in pairs if name and value]
    if not found or len(found) != len(pairs):
        raise ValueError("authvalue needs <settings><setting name='…' value='…'/></settings>")
    return found
