"""Commerce sides in the config: one model per kind of system, told apart by `kind`.

Owns: `[commerce]` and `[sides.NAME]` of every kind, and how a system without a change feed is
asked for its changes.
Never does: opening a connection; deciding what an entity has.
Tested in: tests/unit/config/test_side_settings.py.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, TypeAlias
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, field_validator, model_validator

from connector.config.connections import Connection, DirectoryAuth, OpenConnection
from connector.config.values import SecretReference, Section, Url

By = Literal["snapshot", "watermark", "export"]
"""How changes are found: compare keys and versions with the last look, ask for rows above the
highest watermark, or export the package of what changed."""

_NEEDS: dict[str, str] = {"watermark": "column", "export": "project"}


# ---------------------------------------------------------------------------- changes


class EntityChangeSettings(Section):
    """How the changes of one entity are found; what is left out is as for all."""

    by: By | None = None
    column: str | None = None
    """The watermark: a column that only grows, such as the time of the last change."""
    key_column: str | None = None
    """A column that orders rows of one watermark, before the key of the entity."""
    overlap: float | None = Field(default=None, ge=0, le=86_400)
    """Seconds below the highest watermark that are read again: commits do not come in order."""
    project: str | None = None
    """The export project of Data management whose packages are read."""
    sweep_minutes: float | None = Field(default=None, gt=0)
    """Minutes between two snapshots that find deletes, where changes come in another way."""


class ChangeSettings(Section):
    """How the changes of a system without a change feed are found."""

    by: By = "snapshot"
    folder: Path = Path("var/snapshots")
    """Where the keys and versions of the last look are kept."""
    column: str | None = None
    key_column: str | None = None
    overlap: float = Field(default=120.0, ge=0, le=86_400)
    project: str | None = None
    sweep_minutes: float = Field(default=360, gt=0)
    every: float = Field(default=60.0, ge=0, le=86_400)
    """Seconds between two looks of live mode at least; commands look each time."""
    entities: dict[str, EntityChangeSettings] = Field(default={})
    """The same keys for single entities, where they differ."""

    @model_validator(mode="after")
    def _complete(self) -> ChangeSettings:
        for name, one in {"": self, **{name: self.of(name) for name in self.entities}}.items():
            needed = _NEEDS.get(one.by)
            if needed is not None and getattr(one, needed) is None:
                place = f"entities.{name}: " if name else ""
                raise ValueError(f'{place}by = "{one.by}" also needs {needed}')
        return self

    def of(self, entity: str) -> ChangeSettings:
        """What counts for one entity."""
        own = self.entities.get(entity)
        given = {} if own is None else own.model_dump(exclude_none=True)
        return self.model_copy(update={**given, "entities": {}})


class PlainChangeSettings(ChangeSettings):
    """The same for a system that exports no packages."""

    by: Literal["snapshot", "watermark"] = "snapshot"

    @field_validator("entities")
    @classmethod
    def _no_export(
        cls, entities: dict[str, EntityChangeSettings]
    ) -> dict[str, EntityChangeSettings]:
        for name, one in entities.items():
            if one.by == "export":
                raise ValueError(f'{name}: by = "export" is for kind = "finops" only')
        return entities


class ShopChangeSettings(Section):
    """The same for a shop's database, where each table has one way in which changes are found."""

    folder: Path = Path("var/snapshots")
    """Where the ids and versions of the last look are kept."""
    sweep_minutes: float = Field(default=360, gt=0)
    """Minutes between two looks for transactions that were removed."""
    every: float = Field(default=60.0, ge=0, le=86_400)
    """Seconds between two looks of live mode at least; commands look each time."""


class EventSettings(Section):
    """Events the system sends to `serve`, as a hint what to read."""

    listen: bool = False
    """Take events; without it changes are only looked for."""
    secret: SecretReference | None = None
    """The key each event must bring."""

    @model_validator(mode="after")
    def _cannot_be_forged(self) -> EventSettings:
        if self.listen and self.secret is None:
            raise ValueError("listen = true also needs secret")
        return self


# ---------------------------------------------------------------------------- kinds


def _database(url: str) -> str:
    if urlsplit(url).scheme in ("http", "https"):
        raise ValueError("this is a database: sqlite:///PATH, not an https:// address")
    return url


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:  # unknown, no name at all, a folder
        raise ValueError("name a time zone such as Europe/Berlin, or UTC") from error
    return name


DatabaseUrl = Annotated[Url, AfterValidator(_database)]


class LedgerSettings(Section):
    """The embedded ledger."""

    kind: Literal["ledger"]
    url: DatabaseUrl
    """Its database, such as sqlite:///var/ledger.db."""
    auth: Literal["none"] = "none"
    time_zone: Annotated[str, AfterValidator(_zone)] = "UTC"
    """Where its days begin and end: points vest and expire by day."""
    hold_hours: int = Field(default=168, ge=1, le=8784)
    """How long a payment with points stands authorised before its points go back."""


class FinopsSettings(Connection):
    """Dynamics 365 Finance and Operations."""

    kind: Literal["finops"]
    auth: DirectoryAuth = "client-secret"
    page_size: int = Field(default=10_000, ge=1, le=10_000)
    """Rows of one page; the service gives 10,000 at most."""
    batch_size: int = Field(default=100, ge=1, le=5000)
    """Writes in one request; each runs the business logic of its table."""
    company: str | None = Field(default=None, pattern=r"^\S{1,4}$")
    """The one company that is read and written; all of them where left out."""
    changes: ChangeSettings = ChangeSettings()
    events: EventSettings = EventSettings()


class ODataV4Settings(OpenConnection):
    """Any other service of OData V4."""

    kind: Literal["odata-v4"]
    batch_size: int = Field(default=100, ge=1, le=1000)
    """Writes in one request."""
    batch: bool = True
    """The service takes `$batch`; without it each write is a request of its own."""
    changes: PlainChangeSettings = PlainChangeSettings()


class ODataV2Settings(OpenConnection):
    """A service of OData V2."""

    kind: Literal["odata-v2"]
    page_size: int = Field(default=1000, ge=1, le=5000)
    """Rows asked for in one page."""
    batch_size: int = Field(default=100, ge=1, le=1000)
    """Writes in one request."""
    policy: Literal["fatal", "warning", "ignore"] = "warning"
    """What is done about metadata that breaks the rules."""
    update: Literal["PATCH", "MERGE", "PUT"] = "PATCH"
    """The method of an update."""
    csrf: bool = True
    """Ask for a token before the first write, as SAP services want it."""
    changes: PlainChangeSettings = PlainChangeSettings()


class DynamicwebSettings(Section):
    """The tables of a Dynamicweb shop, in its database."""

    kind: Literal["dynamicweb"]
    url: DatabaseUrl
    """mssql+pyodbc://USER@HOST/NAME?driver=…, postgresql+psycopg://… or sqlite:///PATH."""
    auth: Literal["none"] = "none"
    password: SecretReference | None = None
    """Of the database user."""
    page_size: int = Field(default=5000, ge=1, le=100_000)
    """Rows of one page."""
    timeout: float = Field(default=60.0, gt=0, le=600)
    """Seconds to wait for the database."""
    tables: dict[str, str] = Field(default={})
    """Names of tables that are called otherwise here."""
    changes: ShopChangeSettings = ShopChangeSettings()


CommerceSettings: TypeAlias = (
    LedgerSettings | FinopsSettings | ODataV4Settings | ODataV2Settings | DynamicwebSettings
)
Commerce = Annotated[CommerceSettings, Field(discriminator="kind")]
"""A commerce side of any kind, as the config holds it."""
