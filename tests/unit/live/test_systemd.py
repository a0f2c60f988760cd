"""The message to systemd."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from connector.live.systemd import notify


def test_the_socket_named_by_systemd_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(address)
        monkeypatch.setenv("NOTIFY_SOCKET", address)
        notify("READY=1", "STATUS=listening")
        assert systemd.recv(100) == b"READY=1\nSTATUS=listening"


def test_an_abstract_name_is_one_too(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind("\0dualwrite-test-notify")
        monkeypatch.setenv("NOTIFY_SOCKET", "@dualwrite-test-notify")
        notify("STOPPING=1")
        assert systemd.recv(100) == b"STOPPING=1"


def test_without_systemd_nothing_happens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    notify("READY=1")
    assert caplog.text == ""
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "nobody"))
    notify("READY=1")
    assert "systemd was not told" in caplog.text
