"""One request to Dataverse: pooled connections, trust, token, and patience with faults.

Owns: sending, the standard headers, retrying one request, telling "never sent" from
"reply lost".
Never does: reading a body, knowing a table; repeating a write that may have happened.
Tested in: tests/unit/endpoints/dataverse/test_transport.py.

Facts: "Dataverse Web API: webapi/compose-http-requests-handle-errors" (headers) and
"api-limits" (429 with Retry-After in seconds; a refused request was not carried out).
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from http.cookiejar import DefaultCookiePolicy
from typing import NamedTuple, Protocol, TypeAlias
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase
from tenacity import RetryCallState, Retrying, retry_if_result

from connector.backoff import Backoff
from connector.endpoints.dataverse.auth import LONGEST_ACQUISITION
from connector.endpoints.dataverse.faults import BUSY_CODES, Fault, fault_of
from connector.endpoints.dataverse.meter import Meter, throttles
from connector.endpoints.dataverse.trust import (
    certificate_error,
    is_loopback,
    never_sent,
    short,
    trust,
    untrusted,
)
from connector.errors import AccessError, ConfigError, Subject, UnreachableError

API = "/api/data/v9.2/"
CONNECT_TIMEOUT = 10.0
"""Seconds for a connection with its TLS handshake."""
LONGEST_PATIENCE = 60.0
"""Seconds within which one request is sent again at most, whatever the config says: a lease has
to outlive it, and a longer wait is better kept in the store."""
WRITE_REQUESTS = 3
"""Requests one call of `write` makes at most: updates, a bulk create, and its second form."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How one request is tried again: `[retry]` of the config, in seconds, and its means."""

    attempts: int = 6
    """How often it is sent at most."""
    first: float = 1.0
    longest: float = 60.0
    sleep: Callable[[float], None] = time.sleep
    random: Callable[[], float] = random.random

    @property
    def whole(self) -> float:
        """Seconds after the first sending within which the last one begins."""
        return min(self.longest, LONGEST_PATIENCE)


def longest_write(timeout: float, patience: Patience) -> float:
    """Seconds one call of `write` takes at most, with every wait and repetition.

    The last sending begins within the patience; it may find its token refused and ask for
    another one.
    """
    sending = 2 * (LONGEST_ACQUISITION + CONNECT_TIMEOUT + timeout)
    return WRITE_REQUESTS * (patience.whole + sending)


_LOG = logging.getLogger(__name__)
_HEADERS = {
    "Accept": "application/json",
    "OData-MaxVersion": "4.0",
    "OData-Version": "4.0",
    "If-None-Match": "null",
    "User-Agent": "dualwrite",
}


class TokenSource(Protocol):
    """Where bearer tokens come from; safe from several threads."""

    def token(self, rejected: str | None = None) -> str:
        """A token for the next request, never `rejected`, which the service refused.

        Raises `AccessError` and `UnreachableError`.
        """
        ...


class Reply(NamedTuple):
    """A complete answer, whatever its status; header names in any case."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    sent_at: datetime
    received_at: datetime


class Lost(NamedTuple):
    """The request may have arrived, its answer did not."""

    text: str


class Unsent(NamedTuple):
    """No connection came about: the request certainly did not happen."""

    text: str


Answer: TypeAlias = Reply | Lost | Unsent


class Transport:
    """Requests to one organization. Safe from several threads.

    Raises `ConfigError` for a URL that is not https or a CA file that is not there.
    """

    def __init__(
        self,
        url: str,
        *,
        tokens: TokenSource,
        ca: str | None,
        patience: Patience,
        clock: Callable[[], datetime],
        timeout: float,
        connections: int,
    ) -> None:
        parts = urlsplit(url)
        if parts.scheme != "https" or not parts.hostname:
            raise ConfigError(
                "url-not-https",
                f"{url!r} is not an https address",
                remedy="set dataverse.url to https://NAME.crm.dynamics.com or to your sandbox",
                subject=Subject(side="dataverse"),
            )
        self.host = parts.hostname
        self.origin = f"https://{parts.netloc}"
        self.base = self.origin + API
        self._tokens = tokens
        self._patience = patience
        self._backoff = Backoff(patience.first, patience.longest, patience.random)
        self._clock = clock
        self.meter = Meter()
        self._timeout = (min(CONNECT_TIMEOUT, timeout), timeout)
        self._verify = trust(ca)
        self._session = requests.Session()
        # No proxy stands between us and a service on this machine.
        self._session.trust_env = not is_loopback(url)
        # The affinity cookie would tie all requests to one web server and its limits.
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        self._session.headers.update(_HEADERS)
        adapter = HTTPAdapter(pool_maxsize=connections, pool_block=True)
        self._session.mount("https://", adapter)

    def get(self, url: str, prefer: str | None = None) -> Reply:
        """The answer to a read, of any status that waiting does not change.

        `url` is relative to the API or one of its own absolute links, sent as it is. Faults
        that may pass are waited out, lost answers included, because a read can be repeated.
        Raises `UnreachableError` and `AccessError`.
        """
        headers = {} if prefer is None else {"Prefer": prefer}
        answer = self._patiently(_may_repeat_read, "GET", self._own(url), headers, None)
        if not isinstance(answer, Reply):
            raise self.unreachable(answer)
        if _may_repeat_read(answer):
            raise self._unavailable(fault_of(answer.status, answer.headers, answer.body))
        return answer

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """The answer to a write, or how it went missing.

        Sent again only where the first one certainly did not happen: no connection, 429, or
        503 with Retry-After. Raises `UnreachableError` for a certificate that is not trusted
        and `AccessError` for a token that is not taken.
        """
        return self._patiently(_may_repeat_write, "POST", self._own(url), headers, body)

    def is_own(self, url: str) -> bool:
        """Whether an absolute link stays at this organization; the token goes nowhere else."""
        return url.lower().startswith(self.origin.lower() + "/")

    def close(self) -> None:
        """Release the connections."""
        self._session.close()

    def _own(self, url: str) -> str:
        if "://" not in url:
            return self.base + url
        if not self.is_own(url):
            raise UnreachableError(
                "link-foreign",
                f"the service sent a link to another host: {urlsplit(url).netloc}",
                remedy=f"check that {self.origin} is the organization's own address",
                subject=Subject(side="dataverse"),
            )
        return url

    def _patiently(
        self,
        again: Callable[[Answer], bool],
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes | None,
    ) -> Answer:
        retrying = Retrying(
            sleep=self._patience.sleep,
            stop=self._ends,
            wait=self._wait,
            retry=retry_if_result(again),
            before_sleep=self._note_wait,
            retry_error_callback=_outcome,
        )
        answer: Answer = retrying(self._send, method, url, headers, body)
        return answer

    def _send(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None
    ) -> Answer:
        token = self._tokens.token()
        answer = self._exchange(method, url, headers, body, token)
        if isinstance(answer, Reply) and answer.status == 401:
            answer = self._exchange(method, url, headers, body, self._tokens.token(rejected=token))
            if isinstance(answer, Reply) and answer.status == 401:
                raise AccessError(
                    "token-refused",
                    "Dataverse does not take our token",
                    remedy="check that dataverse.url and dataverse.authority belong together and "
                    "that the application is registered in this tenant",
                    subject=Subject(side="dataverse"),
                    tried=f"{method} {self.origin}{API}",
                    cause=answer.headers.get("WWW-Authenticate"),
                )
        return answer

    def _exchange(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, token: str
    ) -> Answer:
        sent_at = self._clock()
        try:
            response = self._session.request(
                method,
                url,
                data=body,
                headers=dict(headers),
                auth=_Bearer(token),
                timeout=self._timeout,
                verify=self._verify,
                allow_redirects=False,
            )
        except requests.RequestException as error:
            if untrusted(error):
                raise certificate_error(self.origin, error) from error
            if never_sent(error):
                return Unsent(short(error))
            return Lost(short(error))
        received_at = self._clock()
        if throttles(response.status_code, response.headers):
            self.meter.asked()
        return Reply(response.status_code, response.headers, response.content, sent_at, received_at)

    # ------------------------------------------------------------------------ patience

    def _wait(self, state: RetryCallState) -> float:
        """Seconds before the next attempt: what Retry-After says, else growing ones."""
        answer = _outcome(state)
        if isinstance(answer, Reply):
            after = fault_of(answer.status, answer.headers, answer.body).retry_after
            if after:
                return after
        return self._backoff(state)

    def _ends(self, state: RetryCallState) -> bool:
        """Whether the next attempt would be one too many, or begin too late."""
        # A sleep that is not slept, as in tests, is counted as well.
        spent = max(state.seconds_since_start or 0.0, state.idle_for)
        late = spent + state.upcoming_sleep > self._patience.whole
        return late or state.attempt_number >= self._patience.attempts

    def _note_wait(self, state: RetryCallState) -> None:
        answer, seconds = _outcome(state), state.upcoming_sleep
        what = f"status {answer.status}" if isinstance(answer, Reply) else answer.text
        _LOG.info("dataverse: %s, next attempt in %.1f s", what, seconds)
        if isinstance(answer, Reply) and throttles(answer.status, answer.headers):
            self.meter.waits(seconds)

    # ------------------------------------------------------------------------ errors

    def unreachable(self, answer: Lost | Unsent) -> UnreachableError:
        """The error for an answer that did not come."""
        return UnreachableError(
            "unreachable",
            f"{self.origin} gives no answer",
            remedy="check dataverse.url, the network, and that the service is running",
            subject=Subject(side="dataverse"),
            tried=f"up to {self._patience.attempts} times",
            cause=answer.text,
        )

    def _unavailable(self, fault: Fault) -> UnreachableError:
        throttled = fault.status == 429
        return UnreachableError(
            "throttled" if throttled else "unavailable",
            f"{self.origin} answers {fault.status}" + (": too many requests" if throttled else ""),
            remedy="try again later; nothing is lost"
            + (f", in {fault.retry_after:.0f} s at the earliest" if fault.retry_after else ""),
            subject=Subject(side="dataverse"),
            tried=f"up to {self._patience.attempts} times",
            cause=str(fault),
        )


class _Bearer(AuthBase):
    """Sets the token; being an auth object also keeps a .netrc file from replacing it."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


def _outcome(state: RetryCallState) -> Answer:
    assert state.outcome is not None, "asked before the first attempt ended"
    answer: Answer = state.outcome.result()
    return answer


def _may_repeat_read(answer: Answer) -> bool:
    if not isinstance(answer, Reply):
        return True
    if answer.status < 400:
        return False
    if answer.status in (408, 429) or answer.status >= 500:
        return True
    return fault_of(answer.status, answer.headers, answer.body).code in BUSY_CODES


def _may_repeat_write(answer: Answer) -> bool:
    if isinstance(answer, Reply):
        if answer.status == 503:
            return "Retry-After" in answer.headers
        return answer.status == 429
    return isinstance(answer, Unsent)
