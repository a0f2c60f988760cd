"""Typed settings: one TOML file, any key overridable by environment.

Owns: the shape of `config/connector.toml`, its defaults, and turning every mistake in it into one
ConfigError that names key, file and line.
Never does: opening connections, creating folders, keeping a secret in clear or printing one.
Tested in: tests/unit/config/test_settings.py.

Order: `DUALWRITE__SECTION__KEY` in the environment wins over the file, the file over the
defaults. Relative paths, also inside `sqlite:///` URLs, count from the folder the command runs
in, which is the project folder.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TypeVar

from pydantic import (
    Field,
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

from connector.config.connections import (
    ApplicationSettings,
    Connection,
    DirectoryAuth,
    missing_for,
)
from connector.config.corrections import CorrectionSettings
from connector.config.errors import Finding, config_invalid, findings_of, unknown_key
from connector.config.policies import (
    AlertSettings,
    FreshnessSettings,
    GuardSettings,
    NotifySettings,
    RetentionSettings,
    RetrySettings,
    ServeSettings,
)
from connector.config.sides import Commerce, CommerceSettings
from connector.config.values import SecretReference, Section, Url
from connector.errors import ConfigError, Subject

DEFAULT_PATH = Path("config/connector.toml")
ENV_PREFIX = "DUALWRITE__"

SideT = TypeVar("SideT", bound=Section)

# ---------------------------------------------------------------------------- sections


class FurtherUser(ApplicationSettings):
    """A further application user of the organization; what is left out is as for the first."""

    auth: DirectoryAuth | None = None


class DataverseSettings(Connection):
    """The Dataverse side."""

    auth: DirectoryAuth = "client-secret"
    users: tuple[FurtherUser, ...] = ()
    """Further application users to share the work with: each has limits of its own."""
    connections: int = Field(default=16, ge=1, le=64)
    """Requests in flight at most, over all users; the service's recommendation bounds it too."""
    affinity: bool = False
    """Keep the cookie that ties all requests to one web server; its limits then count alone."""
    batch_size: int = Field(default=1000, ge=1, le=1000)
    """Records in one write request at most; fewer are sent where each of them takes long."""

    @model_validator(mode="after")
    def _users_can_sign_in(self) -> DataverseSettings:
        for number, user in enumerate(self.users):
            whole = self.whole(user)
            if missing := missing_for(whole.auth or self.auth, whole):
                raise ValueError(f"users[{number}] also needs {', '.join(missing)}")
        names = [user.client_id for user in self.all_users()]
        if len(set(names)) < len(names):
            raise ValueError("users: each needs a client_id of its own, other than the first's")
        return self

    def whole(self, user: FurtherUser) -> FurtherUser:
        """A further user with what it leaves to the first one."""
        return user.model_copy(
            update={"auth": user.auth or self.auth, "authority": user.authority or self.authority}
        )

    def all_users(self) -> tuple[FurtherUser, ...]:
        """Everybody we work as, the first one first, each with all it needs."""
        first = FurtherUser(
            auth=self.auth,
            authority=self.authority,
            client_id=self.client_id,
            client_secret=self.client_secret,
            certificate=self.certificate,
        )
        return (first, *map(self.whole, self.users))


class StoreSettings(Section):
    """Where the sync state lives: SQLite or PostgreSQL."""

    url: Url = "sqlite:///var/state.db"
    password: SecretReference | None = None


class MapsSettings(Section):
    """Where the maps are."""

    path: Path = Path("mappings")
    environment: str | None = Field(default=None, pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$")
    """Which overlays are laid over them: those in `overlays/ENVIRONMENT` of this folder."""
    at_once: int = Field(default=2, ge=1, le=16)
    """Maps that `load` and `sync` work side by side, where none looks into a table of another."""


class Settings(BaseSettings):
    """The whole config file."""

    model_config = SettingsConfigDict(
        title="dualwrite config",
        env_prefix=ENV_PREFIX,
        env_nested_delimiter="__",
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
    )

    commerce: Commerce
    dataverse: DataverseSettings
    sides: dict[str, Commerce] = {}
    """Further commerce sides by name; a map chooses one with `side: NAME`."""
    store: StoreSettings = StoreSettings()
    maps: MapsSettings = MapsSettings()
    guard: GuardSettings = GuardSettings()
    retry: RetrySettings = RetrySettings()
    alerts: tuple[AlertSettings, ...] = ()
    notify: NotifySettings = NotifySettings()
    retention: RetentionSettings = RetentionSettings()
    serve: ServeSettings = ServeSettings()
    freshness: FreshnessSettings = FreshnessSettings()
    corrections: CorrectionSettings = CorrectionSettings()

    def without_kept_tokens(self) -> Settings:
        """The same, but each process asks for its tokens: what signs us in is put to the proof."""

        def bare(side: SideT) -> SideT:
            return (
                side.model_copy(update={"token_cache": ""})
                if isinstance(side, Connection)
                else side
            )

        return self.model_copy(
            update={
                "commerce": bare(self.commerce),
                "dataverse": bare(self.dataverse),
                "sides": {name: bare(side) for name, side in self.sides.items()},
            }
        )

    def commerce_sides(self) -> Mapping[str, CommerceSettings]:
        """Every commerce side by its name."""
        return {"commerce": self.commerce, **self.sides}

    @field_validator("sides")
    @classmethod
    def _names_are_free(cls, sides: dict[str, Commerce]) -> dict[str, Commerce]:
        for name in sides:
            if name in ("commerce", "dataverse"):
                raise ValueError(f"`{name}` is the name of a side already: choose another")
        return sides

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
