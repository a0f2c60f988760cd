"""Names in leases: who is alive, who has died, and of whom nothing is known here."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from connector import process
from connector.process import gone, own_name, sleeper

TELL = "from connector.process import own_name; print(own_name(), flush=True); input()"


@contextmanager
def another() -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A process beside this one, and its name."""
    command = [sys.executable, "-c", TELL]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as other:
        assert other.stdout is not None
        yield other, other.stdout.readline().strip()
        other.kill()


def test_a_process_is_gone_when_it_was_killed() -> None:
    with another() as (other, name):
        assert name != own_name()
        assert not gone(name)
        other.send_signal(signal.SIGKILL)
        other.wait()
        assert gone(name)


def test_this_one_lives() -> None:
    assert not gone(own_name())


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="nobody tells when it began")
def test_the_next_life_of_an_id_is_another_process() -> None:
    """A container that was killed and restarted gives its process the same id again."""
    head, _, began = own_name().rpartition(".")
    assert gone(f"{head}.{int(began) - 100}")
    assert not gone(head), "a name without a beginning says too little"


def test_of_other_machines_nothing_is_known() -> None:
    _, _, mine = own_name().rpartition("/")
    assert not gone(f"elsewhere[00000000]/{mine}")
    assert not gone("elsewhere/999999999")
    assert not gone("")
    assert not gone(f"{own_name().rpartition('/')[0]}/no-number")


def test_where_nobody_tells_a_name_is_host_and_id(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("_PROC", "_BOOT", "_NAMESPACE"):
        monkeypatch.setattr(process, name, Path("/nowhere"))
    assert own_name().endswith(f"/{os.getpid()}")
    assert "[" not in own_name()
    assert not gone(own_name())


def test_sleep_ends_with_the_wish_to_stop() -> None:
    stopping = [False]
    sleep = sleeper(lambda: stopping[0])
    began = time.monotonic()
    sleep(0.25)
    assert time.monotonic() - began >= 0.25
    stopping[0] = True
    began = time.monotonic()
    sleep(60)
    assert 0.05 <= time.monotonic() - began < 20, "but it never comes back at once"
