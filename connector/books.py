"""A project as far as no side is asked: its maps and the sync state.

Owns: reading the maps, opening the state.
Never does: making an endpoint (`bootstrap.py`); what only looks at the state waits for none of
them, and works while a secret is missing.
Tested in: tests/unit/test_books.py.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass

from connector.config.values import read_secret
from connector.mapping.document import MapDocument
from connector.mapping.overlay import read_maps
from connector.settings import Settings, StoreSettings
from connector.store.base import Store
from connector.store.opening import open_store
from connector.store.sql_store import SqlStore


@dataclass(frozen=True, slots=True)
class Books:
    """The maps of one project, and what was noted of them."""

    settings: Settings
    documents: Mapping[str, MapDocument]
    """The maps that are on."""
    off: Mapping[str, MapDocument]
    """Maps with `enabled: false`: nothing is done about them."""
    store: Store

    def now(self) -> float:
        """Seconds since the epoch, as the state counts them."""
        return time.time()


@contextmanager
def open_books(settings: Settings) -> Iterator[Books]:
    """Open the state, closed at the end; raises `ConfigError`, `MapError`, `StateError`."""
    documents, off = sorted_maps(settings)
    with closing(open_state(settings.store)) as store:
        yield Books(settings, documents, off, store)


def sorted_maps(settings: Settings) -> tuple[dict[str, MapDocument], dict[str, MapDocument]]:
    """The maps that are on and those that are off, by name; raises `MapError`."""
    maps = maps_of(settings)
    on = {document.map: document for document in maps if document.enabled}
    return on, {document.map: document for document in maps if not document.enabled}


def maps_of(settings: Settings) -> list[MapDocument]:
    """The maps of a project as they are in its environment; raises `MapError`."""
    return read_maps(settings.maps.path, settings.maps.environment)


def open_state(place: StoreSettings) -> SqlStore:
    """The sync state of the settings; raises what `open_store` does, `ConfigError` for a secret."""
    password = None
    if place.password is not None:
        password = read_secret(place.password).get_secret_value()
    return open_store(place.url, password)
