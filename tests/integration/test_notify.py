"""A real program and a real web server are told; what goes wrong there ends nothing."""

from __future__ import annotations

import json
import logging
import ssl
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import trustme

from connector.notify import Notifier

NOTICE = {"event": "alert", "map": "loyalty-card", "message": "100 times parked; “Zoë”"}
TOKEN = "s3cret-path"


class Desk(ThreadingHTTPServer):
    """A webhook over TLS that keeps what it is told."""

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.bodies: list[Any] = []
        self.paths: list[str] = []
        self.answers: list[int] = []
        authority = trustme.CA()
        self.ca = folder / "ca.pem"
        authority.cert_pem.write_to_path(self.ca)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("127.0.0.1").configure_cert(context)
        self.socket = context.wrap_socket(self.socket, server_side=True)
        self.url = f"https://127.0.0.1:{self.server_address[1]}/hooks/{TOKEN}"


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        desk = self.server
        assert isinstance(desk, Desk)
        desk.paths.append(self.path)
        desk.bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(desk.answers.pop(0) if desk.answers else 204)
        self.send_header("Content-Length", "0")
        self.send_header("Location", "/elsewhere")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Silence."""


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)
    server = Desk(tmp_path)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def notifier(desk: Desk, **changes: Any) -> Notifier:
    given = {"webhook": desk.url, "ca": str(desk.ca), "sleep": lambda _seconds: None}
    return Notifier(**{**given, **changes})


def python(tmp_path: Path, source: str) -> str:
    """A command that runs a program with a blank in its path."""
    folder = tmp_path / "our tools"
    folder.mkdir()
    (folder / "tell.py").write_text(source)
    return f"{sys.executable} '{folder / 'tell.py'}' --queue \"the desk\""


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [r.getMessage() for r in caplog.records if r.levelno >= logging.WARNING]


# ---------------------------------------------------------------------------- command


def test_a_command_gets_its_arguments_and_the_notice(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "told.json"
    source = (
        "import json, sys\n"
        f"open({str(out)!r}, 'w').write(json.dumps([sys.argv[1:], json.load(sys.stdin)]))\n"
        "print('done')"
    )
    Notifier(python(tmp_path, source)).send(NOTICE)
    assert json.loads(out.read_text()) == [["--queue", "the desk"], NOTICE]
    assert warnings(caplog) == []
    assert capfd.readouterr().out == ""  # stdout is our data


def test_no_shell_reads_the_command(tmp_path: Path) -> None:
    left = tmp_path / "left"
    Notifier(f"{sys.executable} -c pass ; touch {left}").send(NOTICE)
    assert not left.exists()


def test_a_command_that_fails_is_reported(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    Notifier(python(tmp_path, "import sys; sys.exit('no such queue')")).send(NOTICE)
    (line,) = warnings(caplog)
    assert line.endswith("ended with 1: no such queue")


def test_a_command_that_is_not_there_is_reported(caplog: pytest.LogCaptureFixture) -> None:
    Notifier("/no/such/program --now").send(NOTICE)
    (line,) = warnings(caplog)
    assert "/no/such/program cannot be run: No such file" in line


def test_a_command_that_hangs_is_killed(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    began = time.monotonic()
    Notifier(python(tmp_path, "import time; time.sleep(60)"), command_seconds=0.5).send(NOTICE)
    assert time.monotonic() - began < 20
    (line,) = warnings(caplog)
    assert "was killed after" in line


# ---------------------------------------------------------------------------- webhook


def test_a_webhook_is_posted_to(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    notifier(desk).send(NOTICE)
    assert (desk.paths, desk.bodies) == ([f"/hooks/{TOKEN}"], [NOTICE])
    assert warnings(caplog) == []


def test_a_webhook_is_tried_twice(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    desk.answers = [500]
    waits: list[float] = []
    notifier(desk, sleep=waits.append).send(NOTICE)
    assert desk.bodies == [NOTICE, NOTICE]
    assert len(waits) == 1
    assert warnings(caplog) == []


@pytest.mark.parametrize("status", [500, 404, 302])
def test_a_webhook_that_refuses_is_reported_without_its_secret(
    desk: Desk, caplog: pytest.LogCaptureFixture, status: int
) -> None:
    desk.answers = [status] * 5
    notifier(desk).send(NOTICE)
    (line,) = warnings(caplog)
    assert line == f"notify: the webhook at 127.0.0.1 was not told: HTTP {status}"
    assert len(desk.bodies) == 2
    assert TOKEN not in caplog.text


def test_a_webhook_nobody_can_trust_is_told_nothing(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    notifier(desk, ca=None).send(NOTICE)
    assert desk.bodies == []
    (line,) = warnings(caplog)
    assert line.endswith("SSLError")


def test_one_way_that_fails_does_not_keep_the_other_from_telling(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    notifier(desk, command="/no/such/program").send(NOTICE)
    assert desk.bodies == [NOTICE]
    assert len(warnings(caplog)) == 1


def test_nobody_is_told_where_nobody_is_named() -> None:
    Notifier().send(NOTICE)
