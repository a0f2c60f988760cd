"""One token for all threads and processes, renewed in time."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from connector.endpoints.web.auth import Held, TokenFile, Tokens
from connector.endpoints.web.credentials import Granted
from connector.errors import AccessError, DualWriteError, UnreachableError

NAME = "application"


class Clock:
    now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


class Scripted:
    """A credential that answers as told; asked more often, it fails the test."""

    name = NAME

    def __init__(self, *answers: str | DualWriteError, life: float = 3599.0) -> None:
        self._answers = list(answers)
        self._life = life
        self.asked = 0
        self.forgotten = 0

    def ask(self) -> Granted:
        self.asked += 1
        answer = self._answers.pop(0)
        if isinstance(answer, DualWriteError):
            raise answer
        return Granted(answer, self._life)

    def forget(self) -> None:
        self.forgotten += 1


def away() -> UnreachableError:
    return UnreachableError("authority-unreachable", "no answer", remedy="wait")


# ---------------------------------------------------------------------------- one process


def test_one_token_serves_until_shortly_before_its_end() -> None:
    clock, credential = Clock(), Scripted("first", "second")
    source = Tokens(credential, side="dataverse", clock=clock)
    assert source.token() == "first"
    clock.now += 3299
    assert source.token() == "second"
    assert credential.asked == 2


def test_a_short_life_is_used_half() -> None:
    clock, credential = Clock(), Scripted("first", "second", life=200)
    source = Tokens(credential, side="dataverse", clock=clock)
    assert source.token() == "first"
    clock.now += 99
    assert source.token() == "first"
    clock.now += 2
    assert source.token() == "second"


def test_a_rejected_token_is_not_given_again() -> None:
    credential = Scripted("first", "second")
    source = Tokens(credential, side="dataverse", clock=Clock())
    assert source.token() == "first"
    assert source.token(rejected="older") == "first"
    assert credential.forgotten == 0
    assert source.token(rejected="first") == "second"
    assert source.token() == "second"
    assert credential.forgotten == 1


def test_an_authority_that_is_away_is_asked_again_while_the_token_is_good() -> None:
    clock = Clock()
    source = Tokens(Scripted("first", away(), "second"), side="dataverse", clock=clock)
    assert source.token() == "first"
    clock.now += 3300
    assert source.token() == "first"
    clock.now += 29
    assert source.token() == "first", "not at once"
    clock.now += 2
    assert source.token() == "second"


def test_a_token_that_ended_is_not_used_because_the_authority_is_away() -> None:
    clock = Clock()
    source = Tokens(Scripted("first", away()), side="dataverse", clock=clock)
    source.token()
    clock.now += 3540
    with pytest.raises(UnreachableError):
        source.token()


def test_a_refusal_is_said_at_once() -> None:
    clock = Clock()
    expired = AccessError("secret-expired", "it has expired", remedy="make one")
    source = Tokens(Scripted("first", expired), side="dataverse", clock=clock)
    source.token()
    clock.now += 3300
    with pytest.raises(AccessError):
        source.token()


class Slow(Scripted):
    """Holds every question after the first until it is let go."""

    def __init__(self, *answers: str) -> None:
        super().__init__(*answers)
        self.arrived = threading.Event()
        self.go_on = threading.Event()

    def ask(self) -> Granted:
        if self.asked:
            self.arrived.set()
            assert self.go_on.wait(10)
        return super().ask()


def test_one_thread_renews_and_the_others_go_on() -> None:
    clock, credential = Clock(), Slow("first", "second")
    source = Tokens(credential, side="dataverse", clock=clock)
    source.token()
    clock.now += 3300
    renewing = threading.Thread(target=source.token)
    renewing.start()
    assert credential.arrived.wait(10)
    assert source.token() == "first", "nobody waits for a token that is still good"
    credential.go_on.set()
    renewing.join(10)
    assert source.token() == "second"
    assert credential.asked == 2


def test_threads_that_have_none_ask_once_together() -> None:
    credential = Scripted("only")
    source = Tokens(credential, side="dataverse", clock=Clock())
    got: list[str] = []
    threads = [threading.Thread(target=lambda: got.append(source.token())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert got == ["only"] * 8
    assert credential.asked == 1


# ---------------------------------------------------------------------------- processes


def process(folder: Path, clock: Clock, *answers: str | DualWriteError) -> tuple[Tokens, Scripted]:
    """What a process has of its own: nothing but the folder is shared."""
    credential = Scripted(*answers)
    return Tokens(credential, TokenFile(folder, NAME), side="dataverse", clock=clock), credential


def test_the_next_process_asks_nobody(tmp_path: Path) -> None:
    clock = Clock()
    first, _ = process(tmp_path / "var" / "tokens", clock, "shared")
    assert first.token() == "shared"
    second, asked = process(tmp_path / "var" / "tokens", clock)
    assert second.token() == "shared"
    assert asked.asked == 0


def test_what_another_process_renewed_is_taken(tmp_path: Path) -> None:
    clock = Clock()
    first, _ = process(tmp_path, clock, "old", "new")
    second, asked = process(tmp_path, clock)
    assert [first.token(), second.token()] == ["old", "old"]
    clock.now += 3300
    assert [first.token(), second.token()] == ["new", "new"]
    assert asked.asked == 0


def test_a_kept_token_the_service_refuses_is_replaced(tmp_path: Path) -> None:
    clock = Clock()
    process(tmp_path, clock, "revoked")[0].token()
    second, asked = process(tmp_path, clock, "fresh")
    assert second.token() == "revoked"
    assert second.token(rejected="revoked") == "fresh"
    assert process(tmp_path, clock)[0].token() == "fresh"
    assert asked.asked == 1


def test_a_kept_token_that_ended_is_not_taken(tmp_path: Path) -> None:
    clock = Clock()
    process(tmp_path, clock, "old")[0].token()
    clock.now += 4000
    assert process(tmp_path, clock, "new")[0].token() == "new"


def test_another_credential_finds_nothing(tmp_path: Path) -> None:
    TokenFile(tmp_path, "one").write(Held("token", 1.0, 2.0))
    assert TokenFile(tmp_path, "other").read() is None


@pytest.mark.skipif(os.name != "posix", reason="modes of files are posix's")
def test_nobody_else_may_read_a_kept_token(tmp_path: Path) -> None:
    folder = tmp_path / "tokens"
    before = os.umask(0)
    try:
        TokenFile(folder, NAME).write(Held("token", 1.0, 2.0))
    finally:
        os.umask(before)
    (file,) = folder.iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700


@pytest.mark.skipif(os.name != "posix", reason="modes of files are posix's")
def test_a_token_others_could_have_planted_is_not_used(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    kept = TokenFile(tmp_path, NAME)
    kept.write(Held("planted", 1.0, 2.0))
    (tmp_path / f"{NAME}.json").chmod(0o666)
    assert kept.read() is None
    assert "is not this user's alone" in caplog.text


@pytest.mark.parametrize("text", ["", "no json", "[]", '{"token": "t"}'])
def test_a_spoiled_file_costs_one_question(
    tmp_path: Path, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / f"{NAME}.json"
    path.write_text(text)
    path.chmod(0o600)
    source, _ = process(tmp_path, Clock(), "new")
    assert source.token() == "new"
    assert "cannot be read" in caplog.text
    assert process(tmp_path, Clock())[0].token() == "new"


def test_a_folder_that_cannot_be_made_stops_nobody(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("in the way")
    source, _ = process(tmp_path / "file" / "tokens", Clock(), "s3cret")
    with caplog.at_level(logging.WARNING):
        assert source.token() == "s3cret"
    assert "no token is kept" in caplog.text
    assert "s3cret" not in caplog.text


def test_what_no_longer_lives_is_swept_out(tmp_path: Path) -> None:
    stale: Sequence[Path] = [tmp_path / "rotated.json", tmp_path / "crashed.new"]
    for path in stale:
        path.write_text("{}")
        os.utime(path, (0, 0))
    TokenFile(tmp_path, NAME).write(Held("token", 1.0, 2.0))
    assert [path.name for path in tmp_path.iterdir()] == [f"{NAME}.json"]
