"""Starting, stopping, and what survives both."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from connector.errors import UnreachableError
from connector.sandbox.identity.people import AGENT_CLIENT_ID, CLIENT_ID, TENANT
from connector.sandbox.run import running

if TYPE_CHECKING:
    from tests.conftest import SignIn

CARDS = "msdyn_loyaltycards"


def test_data_tokens_and_trust_survive_a_restart(tmp_path: Path, sign_in: SignIn) -> None:
    with running(tmp_path) as first:
        session = sign_in(where=first)
        port, beside = (int(first[one].rpartition(":")[2]) for one in ("dataverse", "finops"))
        assert session.post(CARDS, json={"msdyn_cardnumber": "C-1"}).status_code == 204
        tracked = session.get(CARDS, headers={"Prefer": "odata.track-changes"}).json()
        before = session.get("WhoAmI").json()
    with running(tmp_path, port, finops_port=beside) as second:
        assert second == first
        # The same session: certificate and token of the first life are still good.
        assert session.get("WhoAmI").json() == before
        assert session.get(tracked["@odata.deltaLink"]).json()["value"] == []
        row = session.get(f"{CARDS}(msdyn_cardnumber='C-1')").json()
        later = session.post(CARDS, json={}, headers={"Prefer": "return=representation"}).json()
        assert later["versionnumber"] > row["versionnumber"]


def test_a_killed_sandbox_has_kept_what_it_confirmed(tmp_path: Path, sign_in: SignIn) -> None:
    command = [sys.executable, "-m", "connector.sandbox", "--dir", str(tmp_path), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        session = sign_in(where=json.loads(process.stdout.readline()))
        assert session.post(CARDS, json={"msdyn_cardnumber": "C-1"}).status_code == 204
        process.kill()
    with running(tmp_path) as again:
        row = sign_in(where=again).get(f"{CARDS}(msdyn_cardnumber='C-1')")
        assert row.status_code == 200


def test_a_signal_ends_it_in_good_order(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "connector.sandbox", "--dir", str(tmp_path), "--port", "0"]
    for number in (signal.SIGTERM, signal.SIGINT):
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            assert process.stdout is not None
            assert process.stdout.readline().startswith(b"{")
            process.send_signal(number)
            output, errors = process.communicate(timeout=20)
        assert (process.returncode, output, errors) == (128 + number, b"", b"")


def test_a_second_one_in_the_same_folder_is_refused(tmp_path: Path) -> None:
    with running(tmp_path), pytest.raises(UnreachableError) as caught, running(tmp_path):
        pass
    assert "sandbox-running" in str(caught.value.cause)


def test_a_taken_port_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UnreachableError) as caught, running(tmp_path, port):
            pass
    assert f"port-in-use: port {port}" in str(caught.value.cause)


def test_the_sample_config_fits_the_sandbox() -> None:
    text = (Path(__file__).parents[3] / "config" / "connector.toml").read_text()
    assert TENANT in text
    assert CLIENT_ID in text
    assert CLIENT_ID != AGENT_CLIENT_ID
