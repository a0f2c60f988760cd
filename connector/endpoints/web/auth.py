"""The proof of who we are in force: one for all threads, and for all processes of a project.

Owns: keeping a token, renewing it shortly before its end, sharing it through a folder; the
password, or nothing, in its place.
Never does: knowing how a token is come by (`credentials.py`); logging or quoting one.
Tested in: tests/unit/endpoints/web/test_auth.py.

Facts: "Dataverse Web API: authenticate-oauth" (token life about an hour).

Tokens are kept on disk because a schedule starts a process a minute: without it each of them
would ask the authority first. Whoever may read the folder may read the client secret beside it,
which is worth more.
"""

from __future__ import annotations

import base64
import json
import logging
import os
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from connector.endpoints.web.credentials import Credential
from connector.errors import UnreachableError

RENEW_BEFORE = 300.0
"""Seconds before its end at which a token is replaced."""
LAST_USE = 60.0
"""Seconds before its end until which it may still be sent, if no other can be had."""
TRY_AGAIN = 30.0
"""Seconds between attempts to replace a token that is still good."""
LONGEST_LIFE = 24 * 3600.0
"""Seconds after which no token is good any more."""

_LOG = logging.getLogger(__name__)


class Held(NamedTuple):
    """A token and its times, in seconds since 1970 by this machine's clock."""

    token: str
    renew_at: float
    ends: float


class Tokens:
    """Tokens of one application; safe from several threads.

    `side` is named in log lines. `clock` gives seconds since 1970. Should somebody set it, a token
    is renewed too early or is refused by the service and replaced then.
    """

    scheme = "Bearer"

    def __init__(
        self,
        credential: Credential,
        kept: TokenFile | None = None,
        *,
        side: str,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._credential = credential
        self._kept = kept
        self._side = side
        self._clock = clock
        self._lock = threading.Lock()
        self._held: Held | None = None

    def token(self, rejected: str | None = None) -> str:
        """The present token, or a new one if it ends soon or is the `rejected` one.

        One thread asks for the new one; the others go on with the old one while it is good.
        Raises what `Credential.ask` does.
        """
        held, now = self._held, self._clock()
        if held is not None and held.token != rejected:
            if now < held.renew_at:
                return held.token
            if now < held.ends - LAST_USE and self._lock.locked():
                return held.token
        with self._lock:
            return self._present(rejected).token

    def _present(self, rejected: str | None) -> Held:
        now = self._clock()
        if self._held is not None and self._held.token == rejected:
            self._held = None
            self._credential.forget()
        if (self._held is None or now >= self._held.renew_at) and self._kept is not None:
            # Another process may have asked meanwhile.
            shared = self._kept.read()
            if shared is not None and shared.token != rejected and now < shared.renew_at:
                self._held = shared
        if self._held is None or now >= self._held.renew_at:
            self._held = self._renewed(self._held, now)
        return self._held

    def _renewed(self, held: Held | None, now: float) -> Held:
        try:
            granted = self._credential.ask()
        except UnreachableError as error:
            if held is None or now >= held.ends - LAST_USE:
                raise
            _LOG.warning("%s: the token in force is kept for now: %s", self._side, error.message)
            return held._replace(renew_at=now + TRY_AGAIN)
        # At least half of a short life is used, or every request would ask again.
        renew_at = now + max(granted.life - RENEW_BEFORE, granted.life / 2)
        renewed = Held(granted.token, renew_at, now + granted.life)
        if self._kept is not None:
            self._kept.write(renewed)
        return renewed


class Password:
    """A user name and a password, for services without tokens."""

    scheme = "Basic"

    def __init__(self, username: str, password: str) -> None:
        self._proof = base64.b64encode(f"{username}:{password}".encode()).decode("ascii")

    def token(self, rejected: str | None = None) -> str:  # noqa: ARG002 - there is no other
        """The same for every request."""
        return self._proof


class Nobody:
    """A service that asks for no proof."""

    scheme = ""

    def token(self, rejected: str | None = None) -> str:  # noqa: ARG002 - there is no other
        """Nothing."""
        return ""


class TokenFile:
    """One token on disk, for the other processes of this user.

    The file takes its name from the credential, its secret included, so that another secret or
    another service never finds it. It is replaced as a whole: there is nothing to lock, and
    two processes that ask at once do no harm. A folder that cannot be used costs one request to
    the authority per process, and a line in the log.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self._path = folder / f"{name}.json"

    def read(self) -> Held | None:
        """The token last written; None for none, or for one that others could have written."""
        try:
            with self._path.open(encoding="utf-8") as file:
                if os.name == "posix" and not _private(os.fstat(file.fileno())):
                    _LOG.warning("%s is not this user's alone and is not used", self._path)
                    return None
                values = json.load(file)
            return Held(str(values["token"]), float(values["renew_at"]), float(values["ends"]))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            _LOG.warning("%s cannot be read (%s)", self._path, type(error).__name__)
            return None

    def write(self, held: Held) -> None:
        """Leave the token for others, readable by this user only; ended ones are removed."""
        folder = self._path.parent
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            # mkstemp makes it 0600, whatever the umask.
            handle, name = tempfile.mkstemp(dir=folder, suffix=".new")
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump(held._asdict(), file)
            Path(name).replace(self._path)
            self._sweep(time.time())
        except OSError as error:
            _LOG.warning("no token is kept in %s: %s", folder, error.strerror)

    def _sweep(self, now: float) -> None:
        for path in self._path.parent.iterdir():
            with suppress(FileNotFoundError):  # another process was faster
                if now - path.stat().st_mtime > LONGEST_LIFE:
                    path.unlink()


def _private(status: os.stat_result) -> bool:
    return status.st_uid == os.getuid() and status.st_mode & 0o077 == 0
