"""Sections of the config that say how careful a run is, who is told, and how live mode works.

Owns: `[guard]`, `[retry]`, `[[alerts]]`, `[notify]`, `[retention]`, `[serve]`, `[freshness]`.
Never does: acting by them.
Tested in: tests/unit/config/test_settings.py, tests/unit/config/test_alert_settings.py.
"""

from __future__ import annotations

import re
import shlex
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, field_validator, model_validator

from connector.config.values import SecretReference, Section, https, secret_reference

KINDS = ("parked", "conflict", "rejected", "transient", "unknown", "throttled", "unreachable")
"""What alerts count beside problem codes."""
LONGEST_FEED_DAYS = 7
"""Dataverse Web API: use-change-tracking: a delta token is good for 7 days by default."""


def _kind(text: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", text):
        raise ValueError(f"one of {', '.join(KINDS)}, or a problem's code such as choice-unknown")
    close = get_close_matches(text, KINDS, n=1, cutoff=0.8)
    if close and close[0] != text:
        raise ValueError(f"did you mean {close[0]}?")
    return text


def _command(text: str) -> str:
    try:
        argv = shlex.split(text)
    except ValueError as error:
        raise ValueError("a quote is not closed") from error
    if not argv:
        raise ValueError("name a program, with its arguments")
    return text


def _webhook(text: str) -> str:
    return https(text) if "://" in text else secret_reference(text)


class DeleteGuardSettings(Section):
    """How many deletes one side of a map may receive within an hour before it stops."""

    rows: int = Field(default=100, ge=0)
    share: float = Field(default=0.05, ge=0, le=1)
    """Part of the bound rows; counts from 3 deletes on."""


class GuardSettings(Section):
    """Brakes against our own mistakes."""

    deletes: DeleteGuardSettings = DeleteGuardSettings()


class RetrySettings(Section):
    """How often and how patiently a transient failure is tried again."""

    attempts: int = Field(default=6, ge=1, le=50)
    first_wait: float = Field(default=1.0, ge=0, le=60)
    """Seconds before the second attempt; doubles from there."""
    longest_wait: float = Field(default=60.0, ge=0, le=3600)
    """Seconds between two attempts at most, unless the other side asks for more."""


class AlertSettings(Section):
    """One rule: so many incidents of a kind within so many minutes, and what then happens."""

    kind: Annotated[str, AfterValidator(_kind)]
    """parked, conflict, rejected, transient, unknown, throttled, unreachable, or the code of a
    problem records are parked with, such as choice-unknown."""
    count: int = Field(ge=1)
    """Incidents in one map."""
    minutes: int = Field(ge=1, le=1440)
    """Within which they are counted, over all runs."""
    then: Literal["notify", "pause", "stop"]
    """notify: tell; pause: hold this map as well; stop: and begin no further map."""
    map: str | None = None
    """Only this map; without it, each map by itself."""


class NotifySettings(Section):
    """Who is told of alerts and of maps that stop."""

    command: Annotated[str, AfterValidator(_command)] | None = None
    """A program with its arguments; it gets the notice as JSON on stdin. No shell is involved."""
    webhook: Annotated[str, AfterValidator(_webhook)] | None = None
    """An https URL the notice is posted to, or where it stands: env:NAME or file:PATH."""
    ca: Path | None = None
    """A CA file to trust for the webhook instead of the system's."""


class FreshnessSettings(Section):
    """Whether agents see in Dataverse how fresh the data is, map by map."""

    enabled: bool = False
    table: str = Field(default="dwrite_syncstatuses", pattern=r"^[A-Za-z][A-Za-z0-9]{1,7}_[a-z]+$")
    """Entity set with one row per map; its columns bear the same prefix."""


class RetentionSettings(Section):
    """How long the past is kept, in days."""

    audit_days: int = Field(default=400, ge=8)
    """Edits seen, writes with before and after, decisions."""
    runs_days: int = Field(default=400, ge=8)
    """What each run did."""
    tombstones_days: int = Field(default=30)
    """Records gone on both sides, so that late news of them is recognised."""

    @field_validator("tombstones_days")
    @classmethod
    def _longer_than_a_feed(cls, days: int) -> int:
        if days < LONGEST_FEED_DAYS + 1:
            raise ValueError(
                f"at least {LONGEST_FEED_DAYS + 1}: a change feed tells of deletes for "
                f"{LONGEST_FEED_DAYS} days, and a record forgotten earlier would look new"
            )
        return days

    @model_validator(mode="after")
    def _audit_outlives_what_it_explains(self) -> RetentionSettings:
        if self.audit_days < self.tombstones_days:
            raise ValueError("audit_days must not be less than tombstones_days")
        if self.runs_days < self.audit_days:
            raise ValueError("runs_days must not be less than audit_days, which names runs")
        return self


def _address(text: str) -> str:
    host, colon, port = text.rpartition(":")
    if not (colon and host and port.isdecimal() and int(port) <= 65535):
        raise ValueError("write HOST:PORT, such as 127.0.0.1:8444")
    return text


class ServeSettings(Section):
    """Live mode: where it is asked and told, and how often it looks."""

    listen: Annotated[str, AfterValidator(_address)] = "127.0.0.1:8444"
    """HOST:PORT of the health page and of the receiver of webhooks."""
    certificate: Path | None = None
    """A PEM file with the certificate chain and its private key, for https; without it, http for
    a reverse proxy on the same machine."""
    webhook_key: SecretReference | None = None
    """The key each notice of Dataverse must bring; without it no notice is taken."""
    poll_min: float = Field(default=1.0, ge=0.1, le=600)
    """Seconds between two looks after something changed; grows from there."""
    poll_max: float = Field(default=15.0, ge=0.1, le=3600)
    """Seconds between two looks when nothing changes for long."""

    @property
    def address(self) -> tuple[str, int]:
        """Host, without the brackets of an IPv6 one, and port."""
        host, _, port = self.listen.rpartition(":")
        return host.strip("[]"), int(port)

    @model_validator(mode="after")
    def _in_order(self) -> ServeSettings:
        if self.poll_min > self.poll_max:
            raise ValueError("poll_min must not be greater than poll_max")
        return self
