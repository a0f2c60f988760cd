"""Having Dataverse send notices of changes to `serve`, and ending that.

Owns: which tables and columns notices are wanted of, and where they go.
Never does: receiving them (`connector/live/`); knowing a request (`endpoints/dataverse/webhooks`).
Tested in: tests/unit/operations/test_notices.py, tests/acceptance/test_provision.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from connector.config.policies import ServeSettings
from connector.config.values import read_secret
from connector.endpoints.dataverse.administration import Administration
from connector.endpoints.dataverse.webhooks import (
    HookStep,
    Refine,
    Register,
    Registered,
    Unregister,
    hook_steps,
    hooks_of,
)
from connector.errors import ConfigError, UsageError
from connector.mapping.document import MapDocument
from connector.mapping.values import Side

PATH = "/webhooks/dataverse"
"""Where `serve` takes notices."""
OFF = "off"


@dataclass(slots=True)
class Notices:
    """What is to be registered or removed, and how much of it was."""

    url: str | None = None
    """None: notices end."""
    steps: list[HookStep] = field(default_factory=list)
    done: int = 0

    def as_dict(self) -> list[dict[str, Any]]:
        """The documented JSON form (docs/json.md)."""
        return [
            {
                "kind": step.kind,
                "table": _hook_of(step).hook.table,
                "message": _hook_of(step).hook.message,
                "text": str(step),
                "done": number < self.done,
            }
            for number, step in enumerate(self.steps)
        ]


def receiver(address: str) -> str | None:
    """The URL notices go to; None for `off`. Raises `UsageError` (`webhook-url-invalid`).

    An address without a path is that of the host before `serve`. Dataverse sends to port 443 of
    it ("Dataverse: use-webhooks"); the sandbox sends to any port of this machine.
    """
    if address == OFF:
        return None
    parts = urlsplit(address)
    try:
        port = parts.port
    except ValueError:
        port = 0
    local = parts.hostname in ("127.0.0.1", "::1", "localhost")
    reached = parts.scheme == "https" and port in (None, 443)
    if not parts.hostname or not (reached or (local and parts.scheme in ("http", "https"))):
        raise UsageError(
            "webhook-url-invalid",
            f"{address!r} is neither an https address at port 443 nor `{OFF}`",
            remedy=f"give https://HOST{PATH}, the address at which `serve` is reached from outside",
        )
    return address.rstrip("/") + PATH if parts.path in ("", "/") else address


def webhook_key(serve: ServeSettings) -> str:
    """The key notices must bring; raises `ConfigError` (`webhook-key-missing`)."""
    if serve.webhook_key is None:
        raise ConfigError(
            "webhook-key-missing",
            "serve.webhook_key is not set: no notice would be taken",
            remedy='make a key, and set webhook_key = "file:var/webhook_key" under [serve]',
        )
    return read_secret(serve.webhook_key).get_secret_value()


def plan_notices(
    documents: Sequence[MapDocument],
    logical_name: Callable[[str], str],
    there: Iterable[Registered],
    url: str | None,
    *,
    some: bool,
) -> Notices:
    """What is to be done for these maps; with `some` of the project's maps others are left alone.

    Columns that only a filter names are not told of: polling finds what they change.
    """
    columns: dict[str, set[str]] = {}
    for document in documents:
        if document.appends_to is Side.DATAVERSE:
            continue  # nobody asks what becomes of rows that were added
        names = {(row.dataverse or "").partition(".")[0] for row in document.fields} - {""}
        inactive = document.dataverse.inactive
        names |= {inactive.column} if inactive is not None else set()
        columns.setdefault(logical_name(document.dataverse.entity), set()).update(names)
    wanted: Mapping[str, Iterable[str]] = {} if url is None else columns
    considered = [one for one in there if not some or one.hook.table in columns]
    return Notices(url, hook_steps(hooks_of(wanted), considered))


def carry_out(
    plan: Notices,
    organization: Administration,
    key: str | None,
    told: Callable[[HookStep], None],
    *,
    some: bool,
) -> None:
    """Everything planned; at its end an endpoint that nobody needs is removed."""
    webhooks = organization.webhooks
    if plan.url is not None and key is not None:
        webhooks.point_to(plan.url, key)
    for step in plan.steps:
        told(step)
        webhooks.carry_out(step)
        plan.done += 1
    if plan.url is None and not some:
        webhooks.remove_endpoint()


def _hook_of(step: HookStep) -> Register | Refine | Registered:
    return step.registered if isinstance(step, Unregister) else step
