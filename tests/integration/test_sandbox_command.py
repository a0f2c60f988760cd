"""`dualwrite sandbox` as a process: ready line, the config `init` writes, and its end."""

from __future__ import annotations

import json
import signal
import ssl
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from connector.cli.app import run
from connector.config.values import read_secret
from connector.sandbox.identity.people import CLIENT_ID, TENANT
from connector.settings import load_settings

DUALWRITE = Path(sys.executable).with_name("dualwrite")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_says_where_it_is_serves_and_ends_on_a_signal(
    tmp_path: Path, number: signal.Signals, code: int
) -> None:
    process = subprocess.Popen(
        [DUALWRITE, "sandbox", "--port", "0", "--json"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    where = json.loads(process.stdout.readline())
    assert {"dataverse", "finops", "authority", "tenant", "client_id", "ca"} <= set(where)
    secret = (tmp_path / "var/sandbox/client_secret").read_text().strip()
    assert where["client_secret"] == secret
    trust = ssl.create_default_context(cafile=where["ca"])
    metadata = f"{where['authority']}/v2.0/.well-known/openid-configuration"
    with urllib.request.urlopen(metadata, context=trust, timeout=10) as reply:
        assert reply.status == 200
    with urllib.request.urlopen(where["commerce"], context=trust, timeout=10) as reply:
        assert "12 rows" in reply.read().decode()
    process.send_signal(number)
    rest, errors = process.communicate(timeout=20)
    assert process.returncode == code
    assert rest == ""
    assert "Traceback" not in errors
    assert secret not in errors


def test_the_options_reach_the_sandbox(tmp_path: Path) -> None:
    options = ["--profile", "real", "--window", "30", "--execution-seconds", "120", "--row-ms", "0"]
    process = subprocess.Popen(
        [DUALWRITE, "sandbox", "--port", "0", "--empty", "--dop-hint", "9", *options],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    try:
        where = json.loads(process.stdout.readline())
        trust = ssl.create_default_context(cafile=where["ca"])

        def read(url: str) -> str:
            with urllib.request.urlopen(url, context=trust, timeout=10) as reply:
                return str(reply.read().decode())

        limits = json.loads(read(f"{where['dataverse']}/sandbox/limits"))
        assert (limits["requests"], limits["concurrent"], limits["latency_ms"]) == (6000, 52, 200)
        assert (limits["window"], limits["seconds"], limits["row_ms"]) == (30, 120, 0)
        assert limits["dop"] == 9
        assert "no loyalty tables yet" in read(where["crm"])
    finally:
        process.terminate()
        process.communicate(timeout=20)


@pytest.mark.parametrize(
    "wrong",
    [["--window", "0"], ["--requests", "-1"], ["--profile", "slow"], ["--webhook-ca", "nothing"]],
)
def test_an_option_that_makes_no_sense_is_exit_2(wrong: list[str]) -> None:
    assert run(["sandbox", *wrong]) == 2


def test_the_shipped_config_points_to_a_sandbox_in_the_same_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(["init", str(tmp_path)]) == 0
    monkeypatch.chdir(tmp_path)
    side = load_settings().dataverse
    assert side.client_id == CLIENT_ID
    assert side.authority == f"{side.url}/{TENANT}"
    assert side.client_secret is not None
    secret = tmp_path / "var/sandbox/client_secret"
    secret.parent.mkdir(parents=True)
    secret.write_text("written by the sandbox")
    assert read_secret(side.client_secret).get_secret_value() == "written by the sandbox"
