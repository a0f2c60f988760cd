"""An OData V2 server that is not ours: a CAP service with its V2 adapter, on Node.js.

Its packages are named with hashes in `package-lock.json` and installed from whatever registry npm
is set up for, once, into `.cache/` of the clone. Where that cannot be, tests are skipped and say
why; nothing here waits longer than some minutes.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest
import trustme

HERE = Path(__file__).parent
CACHE = HERE.parents[2] / ".cache"
OLDEST_NODE = 20
INSTALL_SECONDS = 240
START_SECONDS = 60


class Server(NamedTuple):
    """Where the service answers, and whose certificate it shows."""

    url: str
    ca: str


def packages() -> Path:
    """A folder with the server's packages and files, or a skip that says why there is none."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        pytest.skip("no Node.js with npm on this machine")
    version = _output([node, "--version"]).strip().removeprefix("v")
    if int(version.partition(".")[0] or 0) < OLDEST_NODE:
        pytest.skip(f"Node.js {version} is older than {OLDEST_NODE}")
    locked = (HERE / "package.json").read_bytes() + (HERE / "package-lock.json").read_bytes()
    folder = CACHE / f"odata-v2-server-{hashlib.sha256(locked).hexdigest()[:16]}"
    if not folder.is_dir():
        _install(npm, folder)
    for name in ("server.js", "commerce.cds"):
        shutil.copy(HERE / name, folder / name)
    return folder


def _install(npm: str, folder: Path) -> None:
    """Install what the lock names beside the place it will have, and move it there whole."""
    CACHE.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE, prefix="installing-") as place:
        made = Path(place) / "packages"
        made.mkdir()
        for name in ("package.json", "package-lock.json", ".npmrc"):
            shutil.copy(HERE / name, made / name)
        try:
            done = subprocess.run(
                [npm, "ci", "--loglevel=error"],
                cwd=made,
                capture_output=True,
                text=True,
                timeout=INSTALL_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            pytest.skip(f"npm installed nothing within {INSTALL_SECONDS} s")
        if done.returncode:
            lines = [line for line in done.stderr.splitlines() if "npm error code" in line]
            pytest.skip(f"npm cannot install the server: {(lines or ['no reason told'])[0]}")
        if not folder.is_dir():
            made.rename(folder)


def _output(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    return done.stdout


@contextmanager
def running(folder: Path) -> Iterator[Server]:
    """The server in a process of its own, with empty tables, ended with the block."""
    installed = packages()
    authority = trustme.CA()
    certificate, ca = folder / "server.pem", folder / "ca.pem"
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(certificate)
    authority.cert_pem.write_to_path(ca)
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            ["node", "server.js", "commerce.cds", str(certificate)],
            cwd=installed,
            env={**os.environ, "NODE_ENV": "production", "NO_TELEMETRY": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
        )
        impatience = threading.Timer(START_SECONDS, process.kill)
        impatience.start()
        try:
            url = _ready(process)
            impatience.cancel()
            if url is None:
                process.wait(10)
                log.seek(0)
                said = log.read().decode(errors="replace")[-2000:]
                raise AssertionError(f"the independent server did not start: {said}")
            # What it goes on to print is read, or it would wait for its reader.
            drain = threading.Thread(target=process.stdout.read if process.stdout else None)
            drain.start()
            yield Server(url, str(ca))
        finally:
            impatience.cancel()
            process.kill()
            process.communicate()


def _ready(process: subprocess.Popen[bytes]) -> str | None:
    """The address in the first line that is JSON; None where the process ends before."""
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith(b'{"url"'):
            return str(json.loads(line)["url"])
    return None
