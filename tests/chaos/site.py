"""One deployment made of real processes: a sandbox, a ledger, a store, and whoever works them.

Owns: the project folder, starting and ending processes, and looking into the store's tables.
Never does: chance, edits, judging.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from connector.cli.app import run
from tests.acceptance.living import free_port
from tests.conftest import DataverseSession, fetch_token

DUALWRITE = Path(sys.executable).with_name("dualwrite")
MAP = "loyalty-card"
PATIENCE = 180.0
"""Seconds after which a process that does not end counts as hanging."""
LOCK_SECONDS = 0.3
HELD = 600.0
"""Seconds nobody waits for: writes that are held go on once `slow` says so."""


@dataclass
class Worker:
    """One `dualwrite` process."""

    command: tuple[str, ...]
    process: subprocess.Popen[bytes]
    began: float
    _out: Path
    _err: Path

    def alive(self) -> bool:
        """Whether it has not ended yet."""
        return self.process.poll() is None

    def kill(self) -> bool:
        """`kill -9`; whether it was alive."""
        if not self.alive():
            return False
        self.process.send_signal(signal.SIGKILL)
        return self.process.wait(PATIENCE) == -signal.SIGKILL

    def wait(self) -> int:
        """Its exit code."""
        return self.process.wait(PATIENCE)

    def answer(self) -> dict[str, Any]:
        """The one object it printed; empty where it printed none."""
        line = self._out.read_text().strip()
        value: dict[str, Any] = json.loads(line) if line else {}
        return value

    def complaints(self) -> str:
        """The end of what it wrote to stderr."""
        return self._err.read_text(errors="replace")[-3000:]

    def close(self) -> None:
        """Nothing that was started outlives its round."""
        if self.alive():
            self.process.send_signal(signal.SIGCONT)
            self.process.kill()
            self.process.wait(PATIENCE)


@dataclass
class Site:
    """A project folder with everything around it; `store_url` None is a SQLite file in it."""

    folder: Path
    store_url: str | None = None
    policy: str = "manual"
    where: dict[str, Any] = field(default_factory=dict)
    start_seconds: float = 0.0
    """How long the sandbox took to start last: tells how busy the machine is just now."""
    _sandbox: subprocess.Popen[bytes] | None = None
    _sessions: dict[str, DataverseSession] = field(default_factory=dict)
    _tokens: dict[str, str] = field(default_factory=dict)
    _workers: list[Worker] = field(default_factory=list)
    _ports: tuple[str, str] = field(default_factory=lambda: (str(free_port()), str(free_port())))
    _state: sa.Engine | None = None

    # ------------------------------------------------------------------ set up

    def open(self) -> None:
        """Write the project and start the sandbox."""
        with (self.folder.parent / "init.log").open("w") as out, redirect_stdout(out):
            assert run(["init", str(self.folder), "--json"]) == 0
        (self.folder / "var").mkdir(exist_ok=True)
        maps = self.folder / "mappings"
        (maps / "loyalty-reward-points.yaml").unlink()
        card = maps / f"{MAP}.yaml"
        card.write_text(card.read_text().replace("conflict: manual", f"conflict: {self.policy}"))
        self.start_sandbox()

    @property
    def ledger_url(self) -> str:
        """Where the commerce side lives."""
        return f"sqlite:///{self.folder}/var/ledger.db"

    @property
    def environment(self) -> Mapping[str, str]:
        """The config of every worker, besides the file."""
        return {
            **os.environ,
            "DUALWRITE__DATAVERSE__URL": str(self.where["dataverse"]),
            "DUALWRITE__DATAVERSE__AUTHORITY": str(self.where["authority"]),
            "DUALWRITE__DATAVERSE__CLIENT_ID": str(self.where["client_id"]),
            "DUALWRITE__DATAVERSE__CLIENT_SECRET": "env:CHAOS_CLIENT_SECRET",
            "CHAOS_CLIENT_SECRET": str(self.where["client_secret"]),
            "DUALWRITE__DATAVERSE__CA": str(self.where["ca"]),
            "DUALWRITE__DATAVERSE__PAGE_SIZE": "100",
            "DUALWRITE__RETRY__FIRST_WAIT": "0.1",
            "DUALWRITE__RETRY__LONGEST_WAIT": "1",
            "DUALWRITE__RETRY__ATTEMPTS": "50",
            "DUALWRITE__GUARD__DELETES__ROWS": "100000",
            "DUALWRITE__GUARD__DELETES__SHARE": "1",
            **({"DUALWRITE__STORE__URL": self.store_url} if self.store_url else {}),
        }

    def close(self) -> None:
        """End every process of this site."""
        for worker in self._workers:
            worker.close()
        self.kill_sandbox()
        if self._state is not None:
            self._state.dispose()

    # ------------------------------------------------------------------ processes

    def start(self, *command: str) -> Worker:
        """A `dualwrite` command, not waited for."""
        out, err = (self.folder / "var" / f"{len(self._workers)}.{kind}" for kind in ("out", "err"))
        with out.open("wb") as stdout, err.open("wb") as stderr:
            process = subprocess.Popen(
                [DUALWRITE, *command, "--json"],
                cwd=self.folder,
                env=self.environment,
                stdout=stdout,
                stderr=stderr,
            )
        worker = Worker(command, process, time.monotonic(), out, err)
        self._workers.append(worker)
        return worker

    def start_sandbox(self) -> None:
        """The sandbox over its folder, at the ports it always had."""
        port, beside = self._ports
        command = [sys.executable, "-m", "connector.sandbox", "--port", port]
        command += ["--finops-port", beside, "--dir", str(self.folder / "var" / "sandbox")]
        began = time.monotonic()
        with (self.folder / "var" / "sandbox.log").open("ab") as log:
            self._sandbox = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log)
        assert self._sandbox.stdout is not None
        line = self._sandbox.stdout.readline()
        assert line.startswith(b"{"), f"the sandbox did not start: {line!r}"
        self.where = json.loads(line)
        self.start_seconds = time.monotonic() - began

    def kill_sandbox(self) -> bool:
        """`kill -9` of the sandbox; whether it was alive."""
        process, self._sandbox = self._sandbox, None
        while self._sessions:
            self._sessions.popitem()[1].close()
        if process is None:
            return False
        alive = process.poll() is None
        process.kill()
        process.wait(PATIENCE)
        if process.stdout is not None:
            process.stdout.close()
        return alive

    @property
    def sandbox_alive(self) -> bool:
        """Whether people can reach Dataverse."""
        return self._sandbox is not None

    def session(self, who: str) -> DataverseSession:
        """A session of the connector (`""`) or of the agent (`agent_`)."""
        if who not in self._sessions:
            self._tokens.setdefault(who, fetch_token(self.where, who))
            self._sessions[who] = DataverseSession(self.where, self._tokens[who])
        return self._sessions[who]

    def slow(self, seconds: float) -> None:
        """Let every write of a worker take so long before it happens.

        Those that are held up from before happen now.
        """
        session = self.session("")
        session.disarm()
        for path in ("$batch", "CRM.CreateMultiple"):
            fault = {"kind": "slow", "seconds": seconds, "path": path, "count": 1_000_000}
            session.switch("faults", fault)

    def slowed(self) -> int:
        """How many writes were held up since the sandbox started."""
        return int(self.session("").told()["faults"].get("slow", 0))

    # ------------------------------------------------------------------ looking into the store

    @property
    def state(self) -> sa.Engine:
        """The store's database."""
        if self._state is None:
            url = self.store_url or f"sqlite:///{self.folder}/var/state.db"
            self._state = sa.create_engine(url, poolclass=sa.NullPool)
        return self._state

    def rows(self, query: str) -> list[Any]:
        """Rows of the store; none before the first run has made its tables."""
        with contextlib.suppress(sa.exc.DBAPIError), self.state.connect() as connection:
            return list(connection.execute(sa.text(query)))
        return []

    def open_intents(self, since: int = 0) -> int:
        """Writes that were announced, in a run above `since`, and have no outcome yet."""
        rows = self.rows(f"SELECT count(*) FROM changes WHERE outcome IS NULL AND run > {since}")
        return int(rows[0][0]) if rows else 0

    def last_run(self) -> int:
        """The number of the newest run."""
        rows = self.rows("SELECT coalesce(max(number), 0) FROM runs")
        return int(rows[0][0]) if rows else 0

    def is_loaded(self) -> bool:
        """Whether the map's load has come to its end."""
        return bool(self.rows("SELECT map FROM maps WHERE loaded_at IS NOT NULL"))

    def let_lease_expire(self) -> bool:
        """Time passes for the lease alone; False where a suspended worker locks the store.

        A lease outlives the longest request there can be, which takes minutes.
        """
        try:
            with self.state.begin() as connection:
                if self.state.dialect.name == "postgresql":
                    milliseconds = int(LOCK_SECONDS * 1000)
                    connection.exec_driver_sql(f"SET LOCAL lock_timeout = {milliseconds}")
                else:
                    milliseconds = int(LOCK_SECONDS * 1000)
                    connection.exec_driver_sql(f"PRAGMA busy_timeout = {milliseconds}")
                connection.exec_driver_sql("UPDATE leases SET expires = 0")
        except sa.exc.OperationalError:
            return False
        return True

    def ledger_is_free(self) -> bool:
        """Whether no suspended worker holds the ledger's write lock."""
        engine = sa.create_engine(self.ledger_url, poolclass=sa.NullPool)
        try:
            with engine.connect() as connection:
                connection.exec_driver_sql(f"PRAGMA busy_timeout = {int(LOCK_SECONDS * 1000)}")
                connection.exec_driver_sql("BEGIN IMMEDIATE")
                connection.exec_driver_sql("ROLLBACK")
        except sa.exc.OperationalError:
            return False
        finally:
            engine.dispose()
        return True


def pauses(seconds: float, step: float = 0.02) -> Iterator[None]:
    """Short pauses until so many seconds have passed."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        time.sleep(min(step, max(0.0, end - time.monotonic())))
        yield
