"""One round: a new deployment, a load and syncs under kills and edits, then quiet and judgement.

Owns: who is killed when, drawn from one seed, and what came of it in figures.
Never does: judging what the two sides hold; `verdict.py` does.
"""

from __future__ import annotations

import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from tests.chaos import verdict
from tests.chaos.people import People
from tests.chaos.site import HELD, PATIENCE, Site, Worker, pauses

FINE = frozenset({0, 3})
"""Done, or done with conflicts for a person."""
CUT_OFF = FINE | {4}
"""Besides, when the sandbox died meanwhile."""
FENCED = FINE | {5}
"""Besides, when another worker took the lease."""
QUIET_RUNS = 10
EDITS_BEFORE_SLEEP = 20
LONGEST_ROUND = 1800.0
FIRST_GUESS = 3.5
"""How many times longer than a start of the sandbox a run takes, before one was measured."""
STOPS = 10
VICTIMS = ("worker",) * 6 + ("sandbox",) * 4
MOMENTS = ("any", "working", "writing")
"""At any time of a run, while it works, while a write of it is held up."""


@dataclass
class Tally:
    """What happened, for the report."""

    worker_kills: int = 0
    sandbox_kills: int = 0
    in_mid_write: int = 0
    """Kills at which writes the run had announced had no outcome yet."""
    suspensions: int = 0
    takeovers: int = 0
    """Suspended workers that came back and found their lease gone."""
    runs: int = 0
    edits: int = 0
    commands: Counter[str] = field(default_factory=Counter)
    """Kills by the command they hit."""

    @property
    def kills(self) -> int:
        """All kills that hit a living process."""
        return self.worker_kills + self.sandbox_kills

    def add(self, other: Tally) -> None:
        """Sum up."""
        for name in ("worker_kills", "sandbox_kills", "in_mid_write", "suspensions", "takeovers",
                     "runs", "edits"):  # fmt: skip
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.commands.update(other.commands)


class Round:
    """One seed, one number, one store."""

    def __init__(
        self,
        seed: int,
        number: int,
        folder: Path,
        *,
        store_url: str | None = None,
        cards: int = 400,
        kills: int = 12,
        tell: Callable[[str], None] = lambda _text: None,
    ) -> None:
        self.random = Random(f"{seed}/{number}")
        policy = self.random.choice(["manual", "manual", "commerce", "dataverse", "latest"])
        self.site = Site(folder / "project", store_url, policy)
        self.cards = cards
        self.kills = kills
        self.tally = Tally()
        self.log: list[str] = []
        self._tell = tell
        self._began = time.monotonic()
        self._takes = {"load": FIRST_GUESS, "sync": FIRST_GUESS}
        """How many times longer than a start of the sandbox a run takes."""
        self._last_run = 0
        self._load_kills = self.random.randrange(1, max(2, kills // 2))
        self._victims, self._moments = self._dealt(VICTIMS), self._dealt(MOMENTS)
        """Of the kill that comes next, the last: each stays until it has hit."""

    def play(self) -> Tally:
        """The whole round. Raises `AssertionError` with what is wrong."""
        self.site.open()
        people = People(self.site, self.random, self.cards)
        try:
            people.open_shop()
            while self.tally.kills < self.kills:
                assert time.monotonic() - self._began < LONGEST_ROUND, "the round never ends"
                self._step(people)
            self._suspend(people)
            self.tally.edits = people.acts
            self._quiet()
            verdict.judge(self.site, people)
        finally:
            people.close()
            self.site.close()
        return self.tally

    # ------------------------------------------------------------------ one run under attack

    def _step(self, people: People) -> None:
        for _ in range(self.random.randrange(1, 25)):
            people.act()
        self.site.slow(self.random.choice([0.0, 0.1, 0.3, 0.6]))
        command = self._command()
        if command == "load" and self.tally.kills >= self._load_kills:
            self._ends(self._start("load"), FINE)
            return
        if self._moments[-1] == "writing":
            self.site.slow(HELD)
        held = self.site.slowed()
        worker = self._start(command)
        self._let_it_run(worker, people, held)
        if not worker.alive():
            self._ends(worker, FINE)
        elif self._kill(worker, people):
            self._moments = self._moments[:-1] or self._dealt(MOMENTS)
            self._victims = self._victims[:-1] or self._dealt(VICTIMS)

    def _dealt(self, pack: Sequence[str]) -> list[str]:
        """The whole pack in an order of chance: in a row of kills nothing stays away for long."""
        return self.random.sample(pack, len(pack))

    def _let_it_run(self, worker: Worker, people: People, held: int) -> None:
        """Until the next kill's moment; `held` writes had been held up before it started."""
        whole = self._takes[worker.command[0]] * self.site.start_seconds
        moment = self._moments[-1]
        if moment == "writing":
            while worker.alive() and self.site.slowed() == held:
                time.sleep(0.005)
            return
        if moment == "working":
            while worker.alive() and self.site.last_run() == self._last_run:
                time.sleep(0.02)
            whole /= 2
        for _ in pauses(self.random.random() * whole):
            if not worker.alive():
                return
            self._sometimes(people)

    def _command(self) -> str:
        return "sync" if self.site.is_loaded() else "load"

    def _start(self, command: str) -> Worker:
        self.tally.runs += 1
        self._last_run = self.site.last_run()
        return self.site.start(command)

    def _sometimes(self, people: People) -> None:
        if self.random.random() < 0.3:
            people.act()

    def _kill(self, worker: Worker, people: People) -> bool:
        """The next victim; whether it was alive."""
        if self._victims[-1] == "sandbox":
            self._kill_sandbox(worker, people)
            return True
        if not worker.kill():
            self._ends(worker, FINE)
            return False
        self.tally.worker_kills += 1
        self._note_kill("worker", worker)
        return True

    def _kill_sandbox(self, worker: Worker, people: People) -> None:
        """The sandbox dies under a worker, which goes on, gives up, or dies as well."""
        if self.site.kill_sandbox():
            self.tally.sandbox_kills += 1
            self._note_kill("sandbox", worker)
        for _ in pauses(self.random.choice([0.0, 0.1, 0.5])):
            self._sometimes(people)
        if self.random.random() < 0.2 and worker.kill():
            self.tally.worker_kills += 1
            self._note_kill("worker", worker)
            self.site.start_sandbox()
            return
        self.site.start_sandbox()
        while worker.alive():
            assert time.monotonic() - worker.began < PATIENCE, f"{worker.command} hangs"
            self._sometimes(people)
            time.sleep(0.02)
        self._ends(worker, CUT_OFF)

    def _suspend(self, people: People) -> None:
        """A worker sleeps in mid-write through its lease; another takes over; the sleeper wakes."""
        if not self.site.is_loaded():
            self._ends(self._start("load"), FINE)
        for _ in range(EDITS_BEFORE_SLEEP):
            people.act()
        self.site.slow(HELD)
        held = self.site.slowed()
        worker = self._start("sync")
        last = self._last_run
        while worker.alive() and self.site.slowed() == held:
            time.sleep(0.01)
        for _ in range(STOPS):
            worker.process.send_signal(signal.SIGSTOP)
            # Suspended inside a transaction of a SQLite file it holds up everybody else.
            if self.site.ledger_is_free() and self.site.let_lease_expire():
                self.site.slow(0.0)
                self._take_over(people, last)
                break
            worker.process.send_signal(signal.SIGCONT)
            time.sleep(0.05)
        self.site.slow(0.0)
        worker.process.send_signal(signal.SIGCONT)
        self.tally.takeovers += self._ends(worker, FENCED) == 5

    def _take_over(self, people: People, last: int) -> None:
        """Another worker does all there is to do."""
        self.tally.suspensions += 1
        self._say(f"suspended sync, {self.site.open_intents(since=last)} open intents")
        people.act()
        self._ends(self._start("sync"), FINE)

    def _note_kill(self, who: str, worker: Worker) -> None:
        intents = self.site.open_intents(since=self._last_run)
        self.tally.in_mid_write += intents > 0
        self.tally.commands[worker.command[0]] += 1
        after = time.monotonic() - worker.began
        self._say(
            f"killed the {who} {after:.2f} s into {worker.command[0]}, {intents} open intents"
        )

    def _ends(self, worker: Worker, fine: frozenset[int]) -> int:
        """Wait for it; it ends as it may."""
        command = worker.command[0]
        code = worker.wait()
        took = time.monotonic() - worker.began
        self._say(f"{command} ended with {code} after {took:.2f} s")
        if code in FINE:
            self._takes[command] += (took / self.site.start_seconds - self._takes[command]) / 3
        error = worker.answer().get("error") or {}
        if error.get("code") == "map-loaded":
            return code  # the load had come to its end when it was killed
        assert code in fine, (
            f"{command} ended with {code}: {worker.answer()}\n{worker.complaints()}"
        )
        return code

    # ------------------------------------------------------------------ quiet

    def _quiet(self) -> None:
        """Nobody edits, nobody is killed: a few runs must be enough."""
        self._say("quiet")
        self.site.slow(0.0)
        answer: object = None
        for _ in range(QUIET_RUNS):
            worker = self._start(self._command())
            self._ends(worker, FINE)
            answer = worker.answer()
            if worker.command[0] == "sync" and worker.answer().get("finished"):
                return
            time.sleep(0.5)
        raise AssertionError(f"not finished after {QUIET_RUNS} runs: {answer}")

    def _say(self, text: str) -> None:
        line = f"{time.monotonic() - self._began:7.2f} {text}"
        self.log.append(line)
        self._tell(line)


def say_on_stderr(text: str) -> None:
    """For a person who watches."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()
