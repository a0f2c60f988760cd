"""Telling people: a command of theirs, a webhook of theirs.

Owns: running the command of `[notify]` and posting to its webhook, each within a time limit.
Never does: deciding what is told or how often; ending a run: a way that fails is reported on
stderr, because the records are more important than the news of them. A webhook's path is often
its secret, so only its host is ever named.
Tested in: tests/integration/test_notify.py.
"""

from __future__ import annotations

import logging
import shlex
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import orjson
from tenacity import Retrying, retry_if_result, stop_after_attempt, wait_fixed

COMMAND_SECONDS = 30.0
"""After so long a command is killed."""
WEBHOOK_SECONDS = (5.0, 10.0)
"""For a connection, and for its answer."""
WEBHOOK_TRIES = 2
WEBHOOK_WAIT = 1.0

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Notifier:
    """`[notify]` of the config; with neither way, nobody is told.

    `webhook` is an https URL, `ca` a PEM file to trust instead of the system's.
    """

    command: str | None = None
    webhook: str | None = None
    ca: str | None = None
    command_seconds: float = COMMAND_SECONDS
    sleep: Callable[[float], None] = time.sleep

    def send(self, notice: Mapping[str, Any]) -> None:
        """Tell one notice by every way there is, as one JSON object; never raises."""
        body = orjson.dumps(notice)
        if self.command is not None:
            self._run(self.command, body)
        if self.webhook is not None:
            self._post(self.webhook, body)

    def _run(self, command: str, body: bytes) -> None:
        argv = shlex.split(command)
        try:
            done = subprocess.run(  # noqa: S603 - the admin's own command, without a shell
                argv, input=body, capture_output=True, timeout=self.command_seconds, check=False
            )
        except subprocess.TimeoutExpired:
            _LOG.warning("notify: %s was killed after %.0f s", argv[0], self.command_seconds)
        except OSError as error:
            _LOG.warning("notify: %s cannot be run: %s", argv[0], error.strerror)
        else:
            if done.returncode:
                said = done.stderr.decode("utf-8", "replace").strip()[-200:]
                _LOG.warning("notify: %s ended with %d: %s", argv[0], done.returncode, said)

    def _post(self, webhook: str, body: bytes) -> None:
        retrying = Retrying(
            retry=retry_if_result(lambda failure: failure is not None),
            stop=stop_after_attempt(WEBHOOK_TRIES),
            wait=wait_fixed(WEBHOOK_WAIT),
            sleep=self.sleep,
            retry_error_callback=lambda state: state.outcome and state.outcome.result(),
        )
        failure: str | None = retrying(self._try, webhook, body)
        if failure is not None:
            host = urlsplit(webhook).hostname
            _LOG.warning("notify: the webhook at %s was not told: %s", host, failure)

    def _try(self, webhook: str, body: bytes) -> str | None:
        """Post once; what went wrong, without the URL."""
        import requests

        try:
            answer = requests.post(
                webhook,
                data=body,
                headers={"Content-Type": "application/json", "User-Agent": "dualwrite"},
                timeout=WEBHOOK_SECONDS,
                verify=self.ca or True,
                allow_redirects=False,
            )
        except (requests.RequestException, OSError) as error:
            return type(error).__name__
        return None if answer.ok and not answer.is_redirect else f"HTTP {answer.status_code}"
