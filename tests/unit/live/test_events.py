"""What is posted to live mode: keys, bounds, events of several sides, and their counting."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import pytest
import requests

from connector.live import events, posted
from connector.live.board import Board
from connector.live.events import Events, Listener
from connector.live.receiver import Receiver
from connector.live.server import Server

KEY = "the-key-of-events"
RIGHT = {"x-dualwrite-key": KEY}
URL = "/webhooks/commerce"


@dataclass(frozen=True)
class Heard:
    kind: str
    entities: tuple[str, ...] = ()


@dataclass
class Ear:
    """Hears whatever it is told to hear."""

    heard: Heard = Heard("taken", ("Cards",))
    bodies: list[bytes] = field(default_factory=list)

    def hear(self, body: bytes) -> Heard:
        if body == b"?":
            raise ValueError("the event is not JSON")
        self.bodies.append(body)
        return self.heard


class Post:
    """The receiver, and what it woke."""

    def __init__(self) -> None:
        self.ear = Ear()
        self.woken: list[str] = []
        self.board = Board("host/1", "1.0", lambda: 0.0, silence=60.0)
        listener = Listener("commerce", KEY, self.ear.hear)
        route = Events(self.board, listener, self.woken.append).route()
        receiver = Receiver(self.board, None, lambda _table: None, [route])
        self.server = Server(receiver.application(), ("127.0.0.1", 0), None)

    def post(
        self,
        path: str = URL,
        body: bytes | Iterator[bytes] = b"{}",
        headers: Mapping[str, str] | None = None,
    ) -> int:
        """The status that something posted is answered with."""
        url = self.server.url + path
        return requests.post(url, data=body, headers=headers, timeout=20).status_code

    @property
    def counted(self) -> dict[str, int]:
        """What was counted, without what was not."""
        return {kind: n for kind, n in self.board.as_dict([], events.KINDS)["events"].items() if n}


@pytest.fixture
def post() -> Iterator[Post]:
    made = Post()
    ended = threading.Event()
    thread = threading.Thread(target=made.server.serve, args=[ended])
    thread.start()
    made.server.wait_until_ready(thread.is_alive)
    yield made
    ended.set()
    thread.join(20)
    made.server.close()


def test_an_event_wakes_what_it_is_about(post: Post) -> None:
    assert post.post(headers=RIGHT) == 202
    assert post.post(f"{URL}?code={KEY}") == 202
    assert post.woken == ["Cards", "Cards"]
    assert post.counted == {"taken": 2}


@pytest.mark.parametrize("kind", ["repeated", "unrelated"])
def test_what_changes_nothing_is_answered_well(post: Post, kind: str) -> None:
    post.ear.heard = Heard(kind)
    assert post.post(headers=RIGHT) == 202
    assert post.woken == []
    assert post.counted == {kind: 1}


@pytest.mark.parametrize(
    "headers",
    [{}, {"x-dualwrite-key": ""}, {"x-dualwrite-key": "x"}, {"x-dualwrite-key": KEY[:-1]}],
)
def test_without_the_key_nothing_is_heard(
    post: Post, headers: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    assert post.post(headers=headers) == 401
    assert post.post(f"{URL}?code=wrong") == 401
    assert post.ear.bodies == []
    assert post.counted == {"wrong_key": 2}
    assert KEY not in caplog.text


def test_what_is_no_event_is_refused(post: Post) -> None:
    assert post.post(body=b"?", headers=RIGHT) == 400
    assert post.counted == {"malformed": 1}


def test_what_is_too_long_is_not_read(post: Post) -> None:
    long = b"x" * (posted.LONGEST + 1)

    def pieces() -> Iterator[bytes]:
        yield from (b"x" * 100_000 for _ in range(9))

    assert post.post(body=long, headers=RIGHT) == 413
    assert post.post(body=pieces(), headers=RIGHT) == 413
    assert post.ear.bodies == []
    assert post.counted == {"too_large": 2}


def test_a_body_that_drips_is_given_up(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(posted, "PATIENCE", 0.2)
    port = int(post.server.url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), timeout=20) as slow:
        head = f"POST {URL}?code={KEY} HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{{"
        slow.sendall(head.encode())
        assert slow.recv(100).startswith(b"HTTP/1.1 408 ")
    assert post.counted == {"malformed": 1}


def test_only_posts_to_sides_that_listen_are_taken(post: Post) -> None:
    assert requests.get(post.server.url + URL, timeout=20).status_code == 405
    assert post.post("/webhooks/other", headers=RIGHT) == 404


def test_refusals_are_logged_now_and_then(post: Post, caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(100):
        post.post(body=b"?", headers=RIGHT)
    assert len([one for one in caplog.records if "was refused" in one.message]) == 2
