"""Moving a deployment: the state into a file and back, and a side that now answers as another.

Owns: which worlds a state is bound to, and binding it to another one on a person's word.
Never does: deciding that two systems are the same; copying a side's data.
Tested in: tests/acceptance/test_state.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from connector.books import open_state
from connector.bootstrap import Progress, Project
from connector.endpoints.base import Endpoint, Identity
from connector.errors import Subject, UsageError
from connector.mapping.values import Side
from connector.settings import Settings
from connector.store.transfer import export_state, import_state
from connector.store.work import World


def export_to(settings: Settings, path: Path, at: float, told: Progress) -> Mapping[str, int]:
    """Write the state as it is now into a new file; rows by table. Runs may go on meanwhile."""
    with closing(open_state(settings.store)) as store:
        return export_state(store, path, at, told)


def import_from(settings: Settings, path: Path, told: Progress) -> Mapping[str, int]:
    """Fill the empty state of the config from a file; rows by table."""
    with closing(open_state(settings.store)) as store:
        return import_state(store, path, told)


@dataclass(frozen=True, slots=True)
class Rebinding:
    """The world a side was bound to, and the one that answers now."""

    side: str
    old: World
    new: Identity

    def world(self) -> World:
        """What the side is bound to from then on: versions and positions of before are void."""
        return replace(
            self.old,
            identity=self.new.world,
            title=self.new.title,
            epoch=self.old.epoch + 1,
            high_version=None,
        )


def rebinding_of(project: Project, side: str) -> Rebinding:
    """What would change in the system of this name, which some map works.

    Raises `UsageError` (`side-unknown`, `identity-unchanged`, `identity-unbound`).
    """
    endpoint = _endpoint(project, side)
    old = project.store.world(side)
    subject = Subject(side=side)
    if old is None:
        raise UsageError(
            "identity-unbound",
            "this state has never met that side",
            subject=subject,
            remedy="nothing to do: the first `dualwrite load` binds it",
        )
    new = endpoint.identity()
    if new.world == old.identity:
        raise UsageError(
            "identity-unchanged",
            f"it is the system this state belongs to: {old.identity} ({old.title})",
            subject=subject,
            remedy="nothing to do; `dualwrite check` looks for other problems",
        )
    return Rebinding(side, old, new)


def _endpoint(project: Project, name: str) -> Endpoint:
    """The system of this name as the first map that works it reaches it."""
    systems = {
        document.system(side): (document, side)
        for document in reversed(list(project.documents.values()))
        for side in Side
    }
    if name not in systems:
        raise UsageError(
            "side-unknown",
            f"no map works a side `{name}`",
            remedy=f"write {' or '.join(sorted(systems))}",
        )
    document, side = systems[name]
    return project.endpoints(document)[side]


def rebind(project: Project, rebinding: Rebinding) -> World:
    """Bind the side to the world that answers now, while no run is at work on any map.

    What both sides agreed on stays. Raises `LeaseHeldError`.
    """
    with _alone(project):
        world = rebinding.world()
        project.store.bind_world(world)
    return world


ALONE = 600.0
"""Seconds for which no run begins while a side is asked who it is, with all repetitions."""


@contextmanager
def _alone(project: Project) -> Iterator[None]:
    """The leases of all maps."""
    with ExitStack() as stack:
        for document in project.documents.values():
            ports = project.ports(document)
            lease = project.store.acquire(document.map, ports.holder, ALONE, ports.gone)
            stack.callback(project.store.release, lease)
        yield
