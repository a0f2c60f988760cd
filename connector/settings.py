"""Typed settings: one TOML file, any key overridable by environment.

Owns: the shape of `config/connector.toml`, its defaults, where secrets may come from, and
turning every mistake in it into one ConfigError that names key, file and line.
Never does: opening connections, creating folders, keeping a secret in clear or printing one.
Tested in: tests/unit/test_settings.py.

Order: `DUALWRITE__SECTION__KEY` in the environment wins over the file, the file over the
defaults. Relative paths, also inside `sqlite:///` URLs, count from the folder the command runs
in, which is the project folder.
"""

from __future__ import annotations

import os
import re
import shlex
import tomllib
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from connector.config_errors import Finding, config_invalid, findings_of, unknown_key
from connector.errors import ConfigError, Subject

DEFAULT_PATH = Path("config/connector.toml")
ENV_PREFIX = "DUALWRITE__"

Auth = Literal["client-secret", "certificate", "managed-identity", "basic", "none"]

_AUTH_NEEDS: Mapping[str, tuple[str, ...]] = {
    "client-secret": ("authority", "client_id", "client_secret"),
    "certificate": ("authority", "client_id", "certificate"),
    "basic": ("username", "password"),
}


KINDS = ("parked", "conflict", "rejected", "transient", "unknown", "throttled", "unreachable")
"""What alerts count beside problem codes."""
LONGEST_FEED_DAYS = 7
"""Dataverse Web API: use-change-tracking: a delta token is good for 7 days by default."""


# ---------------------------------------------------------------------------- values


def _secret_reference(text: str) -> str:
    scheme, colon, name = text.partition(":")
    if not colon or scheme not in ("env", "file") or not name:
        raise ValueError(
            "a secret is never written here: name where it stands, as env:NAME or file:PATH"
        )
    return text


SecretReference = Annotated[str, AfterValidator(_secret_reference)]
"""Where a secret stands: `env:NAME` or `file:PATH`. Safe to print; `read_secret` opens it."""


def _without_password(text: str) -> str:
    parts = urlsplit(text)
    if not parts.scheme:
        raise ValueError("this is not a URL: it starts with no scheme such as https://")
    if parts.password is not None:
        raise ValueError(
            "a password is never written into a URL: put it in the key `password` next to it, "
            "as env:NAME or file:PATH"
        )
    return text


def _https(text: str) -> str:
    if urlsplit(text).scheme != "https":
        raise ValueError("this URL must start with https://")
    return text.rstrip("/")


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
    return _https(text) if "://" in text else _secret_reference(text)


Url = Annotated[str, AfterValidator(_without_password)]
HttpsUrl = Annotated[Url, AfterValidator(_https)]


def read_secret(reference: str) -> SecretStr:
    """The secret behind a reference, without the line end a file usually has.

    Raises:
        ConfigError: `secret-missing` when the variable or file is absent, unreadable or empty.
    """
    scheme, _, name = _secret_reference(reference).partition(":")
    if scheme == "env":
        secret, cause = os.environ.get(name, ""), f"the environment has no variable {name}"
        remedy = f"set {name}, or point the config key to another place"
    else:
        secret, cause = _read_file(Path(name))
        remedy = f"write the secret into {name}, readable by this user only"
        if "sandbox" in Path(name).parts:
            remedy = "start `dualwrite sandbox` in this folder; it leaves its secret there"
    if not secret:
        raise ConfigError("secret-missing", f"no secret at {reference}", cause=cause, remedy=remedy)
    return SecretStr(secret)


def _read_file(path: Path) -> tuple[str, str]:
    """The stripped text of a secret file and, in case it turns out empty, why."""
    try:
        return path.read_text(encoding="utf-8").strip(), f"{path} is empty"
    except (OSError, UnicodeDecodeError) as error:
        return "", f"{path}: {getattr(error, 'strerror', None) or 'not a text file'}"


# ---------------------------------------------------------------------------- sections


class Section(BaseModel):
    """A table of the file; a key it does not know is a mistake."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, hide_input_in_errors=True, use_attribute_docstrings=True
    )


class Connection(Section):
    """What every remote side has: where it is, who we are there, and how hard we may pull."""

    auth: Auth = "none"
    authority: HttpsUrl | None = None
    """The token issuer with the tenant, for example https://login.microsoftonline.com/TENANT."""
    client_id: str | None = None
    client_secret: SecretReference | None = None
    certificate: SecretReference | None = None
    """Private key and certificate in one PEM text."""
    username: str | None = None
    password: SecretReference | None = None
    ca: Path | None = None
    """A CA file to trust instead of the system's; the sandbox writes one."""
    connections: int = Field(default=4, ge=1, le=64)
    """Requests in flight at once."""
    page_size: int = Field(default=5000, ge=1, le=5000)
    """Rows asked for in one page."""
    timeout: float = Field(default=60.0, gt=0, le=600)
    """Seconds to wait for one reply."""

    @model_validator(mode="after")
    def _has_what_its_auth_needs(self) -> Connection:
        missing = [name for name in _AUTH_NEEDS.get(self.auth, ()) if getattr(self, name) is None]
        if missing:
            raise ValueError(f'auth = "{self.auth}" also needs {", ".join(missing)}')
        return self


class CommerceSettings(Connection):
    """A commerce side: the embedded ledger, or a system behind OData."""

    kind: Literal["ledger", "finops", "odata-v4", "odata-v2", "dynamicweb"]
    url: Url
    """A database URL for the ledger, the service root for everything else."""

    @field_validator("url")
    @classmethod
    def _fits_kind(cls, url: str, info: ValidationInfo) -> str:
        kind = info.data.get("kind")
        if kind == "ledger" and urlsplit(url).scheme in ("http", "https"):
            raise ValueError("the ledger is a database: sqlite:///PATH, not an https:// address")
        if kind not in (None, "ledger"):
            return _https(url)
        return url


class DataverseSettings(Connection):
    """The Dataverse side."""

    url: HttpsUrl
    auth: Auth = "client-secret"
    batch_size: int = Field(default=1000, ge=1, le=1000)
    """Records in one write request; fewer where plug-ins make each of them slow."""


class StoreSettings(Section):
    """Where the sync state lives: SQLite or PostgreSQL."""

    url: Url = "sqlite:///var/state.db"
    password: SecretReference | None = None


class MapsSettings(Section):
    """Where the maps are."""

    path: Path = Path("mappings")


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


class Settings(BaseSettings):
    """The whole config file."""

    model_config = SettingsConfigDict(
        title="dualwrite config",
        env_prefix=ENV_PREFIX,
        env_nested_delimiter="__",
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
        use_attribute_docstrings=True,
    )

    commerce: CommerceSettings
    dataverse: DataverseSettings
    sides: dict[str, CommerceSettings] = {}
    """Further commerce sides by name; a map chooses one with `side: NAME`."""
    store: StoreSettings = StoreSettings()
    maps: MapsSettings = MapsSettings()
    guard: GuardSettings = GuardSettings()
    retry: RetrySettings = RetrySettings()
    alerts: tuple[AlertSettings, ...] = ()
    notify: NotifySettings = NotifySettings()
    retention: RetentionSettings = RetentionSettings()

    @field_validator("notify")
    @classmethod
    def _alerts_reach_somebody(cls, notify: NotifySettings, info: ValidationInfo) -> NotifySettings:
        rules = info.data.get("alerts", ())
        silent = notify.command is None and notify.webhook is None
        if silent and any(rule.then == "notify" for rule in rules):
            raise ValueError('an alert with then = "notify" needs a command or a webhook here')
        return notify

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Environment over the values handed in, which are the file's."""
        return env_settings, init_settings


# ---------------------------------------------------------------------------- loading


def load_settings(path: Path | None = None) -> Settings:
    """Settings from `path` (default `config/connector.toml`) and the environment.

    Raises:
        ConfigError: `config-missing` (no file), `config-unreadable`, `config-syntax` (not
            TOML), or `config-invalid`, which names every wrong key at once.
    """
    file = path or DEFAULT_PATH
    text = _read_config(file)
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _syntax_error(file, text, error) from error
    findings = [unknown_key((name.lower(),), Settings) for name in _unknown_variables()]
    try:
        settings = Settings(**values)
    except ValidationError as error:
        findings += findings_of(error, Settings)
    except SettingsError as error:  # a whole section in one variable, and not as JSON
        section = next(name for name in Settings.model_fields if f'"{name}"' in str(error))
        findings.append(Finding((section,), "set its keys one by one, or as one JSON object"))
    else:
        if not findings:
            return settings
    raise config_invalid(findings, file=file, text=text, env_prefix=ENV_PREFIX)


def _read_config(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise ConfigError(
            "config-missing",
            "there is no config file",
            subject=Subject(file=str(file)),
            remedy="run `dualwrite init DIR` and work in that folder, or name a file with --config",
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            "config-unreadable",
            "the config file cannot be read",
            subject=Subject(file=str(file)),
            cause=getattr(error, "strerror", None) or "it is not UTF-8 text",
            remedy="make it a UTF-8 text file that this user may read",
        ) from error


def _syntax_error(file: Path, text: str, error: tomllib.TOMLDecodeError) -> ConfigError:
    # The message ends in "(at line 3, column 7)" or "(at end of document)"; only Python 3.14
    # has the numbers as attributes.
    what, _, place = str(error).rpartition(" (at ")
    numbers = [int(digits) for digits in re.findall(r"\d+", place)]
    line, column = numbers if len(numbers) == 2 else (len(text.splitlines()), None)
    return ConfigError(
        "config-syntax",
        "the config file is not valid TOML",
        subject=Subject(file=str(file), line=line, column=column),
        cause=what,
        remedy='write keys as `name = "value"`, sections as `[name]`',
    )


def _unknown_variables() -> Iterable[str]:
    """First parts of DUALWRITE__… variables that are no section; pydantic would skip them."""
    names = {
        name.upper()[len(ENV_PREFIX) :].partition("__")[0]
        for name in os.environ
        if name.upper().startswith(ENV_PREFIX)
    }
    return sorted(name for name in names if name.lower() not in Settings.model_fields)
