"""`dualwrite serve` as a process, asked and told over HTTP."""

from __future__ import annotations

import itertools
import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import requests

from tests.acceptance.conftest import DUALWRITE
from tests.conftest import PATIENCE

if TYPE_CHECKING:
    from tests.acceptance.conftest import Project

KEY = "the-key-of-the-webhooks"
KEPT = {"DUALWRITE__SERVE__WEBHOOK_KEY": "env:TEST_WEBHOOK_KEY", "TEST_WEBHOOK_KEY": KEY}
"""Where the key stands."""
CARD = "msdyn_loyaltycard"
_PORTS = (10_000 + n % 20_000 for n in itertools.count(os.getpid() * 499))
"""Each process begins elsewhere."""


def free_port() -> int:
    """A port of 127.0.0.1 nobody listens on, and nobody is given who asks for any port.

    Systems give those from 32768 on; so nobody takes this one before, or while, it is used.
    """
    for port in _PORTS:
        with socket.socket() as one:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                one.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
    raise AssertionError("counting has an end")


def until(what: str, holds: Callable[[], Any]) -> Any:
    """Wait until something holds; what it gave."""
    end = time.monotonic() + PATIENCE
    while not (found := holds()):
        assert time.monotonic() < end, f"never came: {what}"
        time.sleep(0.02)
    return found


class Live:
    """One instance. What it says stands in `out` and `err`."""

    def __init__(self, project: Project, folder: Path, settings: dict[str, str]) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.out, self.err = folder / f"{self.port}.out", folder / f"{self.port}.err"
        with self.out.open("wb") as out, self.err.open("wb") as err:
            self.process = subprocess.Popen(
                [DUALWRITE, "serve", "--json"],
                cwd=project.folder,
                env={
                    **os.environ,
                    **project.environment,
                    **KEPT,
                    "DUALWRITE__SERVE__LISTEN": f"127.0.0.1:{self.port}",
                    **{f"DUALWRITE__{name}": value for name, value in settings.items()},
                },
                stdout=out,
                stderr=err,
            )

    def health(self, page: str = "/health") -> dict[str, Any]:
        """What it answers, with its `status`; empty while nobody listens."""
        try:
            answer = requests.get(self.url + page, timeout=PATIENCE)
        except requests.ConnectionError:
            assert self.process.poll() is None, self.err.read_text()
            return {}
        return {"status": answer.status_code, **answer.json()}

    def state(self, map: str = "loyalty-card") -> str:
        """What it does about a map; empty while nobody listens."""
        found = {one["map"]: one["state"] for one in self.health().get("maps", [])}
        return str(found.get(map, ""))

    def comes_to(self, state: str, map: str = "loyalty-card") -> None:
        """Wait for a state of a map."""
        until(f"{map} {state} (it is {self.state(map)})", lambda: self.state(map) == state)

    def notice(self, table: str = CARD, key: str = KEY, **more: object) -> requests.Response:
        """A notice as Dataverse sends it, cut short."""
        context = {"PrimaryEntityName": table, "MessageName": "Update", "Depth": 1, **more}
        return self.post(json.dumps(context).encode(), {"x-dualwrite-key": key})

    def post(self, body: bytes, headers: dict[str, str]) -> requests.Response:
        """Anything at all to the receiver."""
        url = f"{self.url}/webhooks/dataverse"
        return requests.post(url, data=body, headers=headers, timeout=PATIENCE)

    def sent_notices(self, project: Project) -> None:
        """Have Dataverse send its notices here."""
        project.environment.update(KEPT)
        project.call("provision", "--webhooks", self.url)

    def lines(self) -> list[dict[str, Any]]:
        """The cycles it told of; a line it is just writing comes later."""
        lines = self.out.read_text().splitlines(keepends=True)
        return [json.loads(line) for line in lines if line.endswith("\n")]

    def said(self) -> str:
        """What it logged."""
        return self.err.read_text()

    def ends(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal; the exit code."""
        self.process.send_signal(how)
        return self.process.wait(PATIENCE)


@contextmanager
def living(project: Project, folder: Path, **settings: str) -> Iterator[Live]:
    """An instance, ended with the block; `settings` as SECTION__KEY."""
    live = Live(project, folder, settings)
    try:
        yield live
    finally:
        live.process.kill()
        live.process.wait()
