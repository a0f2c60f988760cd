"""Live mode as a whole: the loop and the threads beside it, from beginning to end.

Owns: their wiring, and the order in which they begin and end.
Never does: what any of them does.
Tested in: tests/acceptance/test_serve.py.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial

import connector
from connector.books import open_state
from connector.bootstrap import Project
from connector.config.values import read_secret
from connector.live import systemd
from connector.live.board import Board
from connector.live.crew import Crew, looking_out
from connector.live.events import Events
from connector.live.folder import watching
from connector.live.inbox import Inbox, Kind, Wake, event_of
from connector.live.receiver import Receiver
from connector.live.seats import Seats
from connector.live.server import Server
from connector.mapping.document import MapDocument
from connector.operations.outcomes import MapOutcome
from connector.operations.serve.serving import Serving

_LOG = logging.getLogger("connector.live")


def serve_maps(
    project: Project,
    documents: Sequence[MapDocument],
    inbox: Inbox,
    tell: Callable[[MapOutcome, float], None],
) -> None:
    """Serve these maps until a signal comes, which is also put into `inbox`.

    `tell` is told each cycle that did something or failed, and when it began. Raises
    `ConfigError`, `UsageError` (`port-in-use`), and what `Serving.run` raises.
    """
    settings, ports = project.settings.serve, project.ports(documents[0])
    key = None
    if settings.webhook_key is not None:
        key = read_secret(settings.webhook_key).get_secret_value()
    board = Board(ports.holder, connector.__version__, ports.clock, project.tuning.limits.silence)
    routes = [
        Events(board, listener, partial(_heard, inbox, listener.side)).route()
        for listener in project.listeners
    ]
    receiver = Receiver(board, key, lambda table: inbox.put(Wake(Kind.NOTICE, table)), routes)
    with ExitStack() as stack:
        server = Server(receiver.application(), settings.address, settings.certificate)
        stack.callback(server.close)
        store = open_state(project.settings.store)  # of the thread that keeps the seats
        stack.callback(store.close)
        crew = Crew(inbox)
        stack.callback(crew.end)
        seats = Seats(
            store,
            [document.map for document in documents],
            ports.holder,
            ports.gone,
            ports.monotonic,
            lambda: inbox.put(Wake(Kind.SEATS)),
        )
        server.wait_until_ready(crew.start("server", server.serve).is_alive)
        sides = {document.commerce.side or "commerce" for document in documents}
        for side in sorted(sides & project.watchable):
            crew.start(f"look-out {side}", looking_out(side, partial(project.watch, side), inbox))
        files = watching(project.settings.maps.path, lambda: inbox.put(Wake(Kind.FILES)))
        crew.start("map files", files)
        crew.start("seats", seats.keep)  # the last to begin: at the end others take over first
        _LOG.info("serving %s; listening on %s", _names(documents), server.url)
        systemd.notify("READY=1", f"STATUS=listening on {server.url}")
        stack.callback(systemd.notify, "STOPPING=1")

        def learn(tables: frozenset[str] | None, users: frozenset[str]) -> None:
            receiver.tables, receiver.users = tables, users

        Serving(project, documents, inbox, seats, board, tell=tell, learn=learn).run()
        _LOG.info("stopping")


def _heard(inbox: Inbox, side: str, entity: str) -> None:
    inbox.put(Wake(Kind.EVENT, event_of(side, entity)))


def _names(documents: Sequence[MapDocument]) -> str:
    return ", ".join(document.map for document in documents)
