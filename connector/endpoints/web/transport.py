"""One request to a service: pooled connections, trust, token, and patience with faults.

Owns: sending, the standard headers, retrying one request, telling "never sent" from
"reply lost", and telling the governor what came of each.
Never does: reading a body, knowing a table; repeating a write that may have happened.
Tested in: tests/unit/endpoints/web/test_transport.py, test_users.py.

Facts: "Dataverse Web API: webapi/compose-http-requests-handle-errors" (headers) and
"api-limits" (429 with Retry-After in seconds; a refused request was not carried out).
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from http.cookiejar import DefaultCookiePolicy
from typing import NamedTuple, Protocol
from urllib.parse import urlsplit

import requests
from requests.auth import AuthBase
from tenacity import RetryCallState, Retrying, retry_if_result

from connector.backoff import Backoff
from connector.endpoints.web import answers
from connector.endpoints.web.answers import Answer, Lost, Reply, Unsent
from connector.endpoints.web.deadline import Adapter, within
from connector.endpoints.web.faults import Fault
from connector.endpoints.web.governor import Call, Governor, Held, Turn
from connector.endpoints.web.limits import Refusal
from connector.endpoints.web.meter import Meter
from connector.endpoints.web.patience import CONNECT_TIMEOUT, Patience
from connector.endpoints.web.service import Service
from connector.endpoints.web.trust import (
    certificate_error,
    is_loopback,
    never_sent,
    short,
    trust,
    untrusted,
)
from connector.errors import ConfigError, Subject, UnreachableError

_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")

_LOG = logging.getLogger(__name__)


def is_absolute(url: str) -> bool:
    """Whether a URL names its host; a filter within a relative one may hold an address too."""
    return _ABSOLUTE.match(url) is not None


class TokenSource(Protocol):
    """Where proofs of who we are come from; safe from several threads."""

    @property
    def scheme(self) -> str:
        """`Bearer`, `Basic`, or nothing where a service asks for no proof."""
        ...

    def token(self, rejected: str | None = None) -> str:
        """A token for the next request, never `rejected`, which the service refused.

        Raises `AccessError` and `UnreachableError`.
        """
        ...


class Transport:
    """Requests to one service. Safe from several threads.

    `service` says what it is called and what its answers mean. `tokens` has one source per
    application user; the `governor` says whose turn it is. With `affinity` the service's cookie is
    kept, which ties all requests to one of its web servers.
    Raises `ConfigError` for a URL that is not https or a CA file that is not there.
    """

    def __init__(  # noqa: PLR0913 - all by name, each a part of its own
        self,
        service: Service,
        url: str,
        *,
        tokens: Sequence[TokenSource],
        ca: str | None,
        patience: Patience,
        clock: Callable[[], datetime],
        timeout: float,
        connections: int,
        governor: Governor,
        affinity: bool = False,
    ) -> None:
        parts = urlsplit(url)
        self.naming = naming = service.naming
        if parts.scheme != "https" or not parts.hostname:
            raise ConfigError(
                "url-not-https",
                f"{url!r} is not an https address",
                remedy=f"set {naming.section}.url to {naming.example} or to your sandbox",
                subject=Subject(side=naming.side),
            )
        self.host = parts.hostname
        self.origin = f"https://{parts.netloc}"
        self.path = service.path
        self.base = self.origin + service.path
        self.users = len(tokens)
        self.governor = governor
        self._service = service
        self._tokens = tokens
        self._patience = patience
        self._backoff = Backoff(patience.first, patience.longest, patience.random)
        self._clock = clock
        self.meter = Meter()
        self.timeout = timeout
        self._verify = trust(ca, naming)
        self._session = requests.Session()
        # No proxy stands between us and a service on this machine.
        self._session.trust_env = not is_loopback(url)
        if not affinity:
            # The cookie would tie all requests to one web server and its limits.
            self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        self._session.headers.update({"User-Agent": "dualwrite", **service.headers})
        adapter = Adapter(pool_maxsize=connections, pool_block=True)
        self._session.mount("https://", adapter)

    def get(
        self,
        url: str,
        prefer: str | None = None,
        user: int | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
    ) -> Reply:
        """The answer to a read, of any status that waiting does not change.

        `url` is relative to the API or one of its own absolute links, sent as it is; `user` asks
        as one of the application users, `timeout` is for an answer known to take its time. Faults
        that may pass are waited out, lost answers included, because a read can be repeated.
        Raises `UnreachableError` and `AccessError`.
        """
        sent = dict(headers or {}) if prefer is None else {**(headers or {}), "Prefer": prefer}
        request = _Request("GET", self._own(url), sent, None, user=user, timeout=timeout)
        answer = self._patiently(self._may_repeat_read, request)
        if isinstance(answer, Held):
            raise self._unavailable(Fault(429, "", "held back", retry_after=answer.seconds))
        if not isinstance(answer, Reply):
            raise self.unreachable(answer)
        if self._may_repeat_read(answer):
            raise self._unavailable(self.fault_of(answer))
        return answer

    def post(
        self, url: str, body: bytes, headers: Mapping[str, str], call: Call | None = None
    ) -> Answer:
        """The answer to a write, or how it went missing; `call` is what it carries.

        Sent again only where the first one certainly did not happen: no connection, 429, or
        503 with Retry-After. Raises `UnreachableError` for a certificate that is not trusted
        and `AccessError` for a token that is not taken.
        """
        request = _Request("POST", self._own(url), headers, body, call)
        return self._patiently(_may_repeat_write, request)

    def send(self, method: str, url: str, body: bytes | None, headers: Mapping[str, str]) -> Answer:
        """The answer to a change of a definition or a single row, by the rules of `post`.

        The first of several users makes it.
        """
        request = _Request(method, self._own(url), headers, body, user=0)
        return self._patiently(_may_repeat_write, request)

    def refused_within(self, reply: Reply, fault: Fault) -> None:
        """A part of a batch was refused; counted and heeded if a limit did it."""
        refusal = self._service.refusal_of(fault)
        if refusal is not None:
            self.meter.asked()
            self.governor.refused_within(reply.turn, refusal)

    def fault_of(self, reply: Reply) -> Fault:
        """What a refusal says."""
        return self._service.fault_of(reply.status, reply.headers, reply.body, None)

    def is_own(self, url: str) -> bool:
        """Whether an absolute link stays at this service; the token goes nowhere else."""
        return url.lower().startswith(self.origin.lower() + "/")

    def close(self) -> None:
        """Release the connections."""
        self._session.close()

    def _own(self, url: str) -> str:
        if not is_absolute(url):
            return self.base + url
        if not self.is_own(url):
            raise UnreachableError(
                "link-foreign",
                f"the service sent a link to another host: {urlsplit(url).netloc}",
                remedy=f"check that {self.origin} is the {self.naming.kind}'s own address",
                subject=Subject(side=self.naming.side),
            )
        return url

    def _patiently(self, again: Callable[[Answer], bool], request: _Request) -> Answer:
        retrying = Retrying(
            sleep=self._patience.sleep,
            stop=self._ends,
            wait=self._wait,
            retry=retry_if_result(again),
            before_sleep=self._note_wait,
            retry_error_callback=_outcome,
        )
        end = self._patience.monotonic() + self._patience.whole
        answer: Answer = retrying(self._send, request, end)
        return answer

    def _send(self, request: _Request, end: float) -> Answer:
        """One try in its turn; until `end` the service may have us wait for it."""
        left = max(0.0, end - self._patience.monotonic())
        turn = self.governor.turn(left, request.call, request.user)
        if isinstance(turn, Held):
            return turn
        answer: Answer = Unsent("an error of our own")
        try:
            answer = self._authorized(request, turn)
        finally:
            self._tell(turn, answer)
        return answer

    def _authorized(self, request: _Request, turn: Turn) -> Answer:
        tokens = self._tokens[turn.user]
        token = tokens.token()
        answer = self._exchange(request, turn, _Proof(tokens.scheme, token))
        if isinstance(answer, Reply) and answer.status == 401:
            token = tokens.token(rejected=token)
            answer = self._exchange(request, turn, _Proof(tokens.scheme, token))
            if isinstance(answer, Reply) and answer.status == 401:
                raise answers.not_taken(
                    self._service, tokens.scheme, request.method, answer, self.base
                )
        return answer

    def _exchange(self, request: _Request, turn: Turn, proof: _Proof) -> Answer:
        sent_at = self._clock()
        wait = request.timeout or self.timeout
        connect = min(CONNECT_TIMEOUT, wait)
        try:
            with within(connect + wait):
                response = self._session.request(
                    request.method,
                    request.url,
                    data=request.body,
                    headers=dict(request.headers),
                    auth=proof,
                    timeout=(connect, wait),
                    verify=self._verify,
                    allow_redirects=False,
                )
        except requests.RequestException as error:
            if untrusted(error):
                raise certificate_error(self.origin, error, self.naming) from error
            if never_sent(error):
                return Unsent(short(error))
            return Lost(short(error))
        received_at = self._clock()
        status, headers = response.status_code, response.headers
        return Reply(status, headers, response.content, sent_at, received_at, turn)

    def _tell(self, turn: Turn, answer: Answer) -> None:
        """Tell the governor what came of a turn."""
        if isinstance(answer, Lost):
            self.governor.lost(turn)
        elif not isinstance(answer, Reply):
            self.governor.unsent(turn)
        else:
            refusal = self._refusal(answer)
            if refusal is None:
                hint = answer.headers.get(self._service.hint_header, "")
                parallel = int(hint) if hint.isdigit() else None
                self.governor.answered(turn, parallel, done=answer.status < 300)
            else:
                self.meter.asked()
                self.governor.refused(turn, refusal)

    def _refusal(self, reply: Reply) -> Refusal | None:
        """What a limit of the service said to the whole request, if one did."""
        return None if reply.status < 400 else self._service.refusal_of(self.fault_of(reply))

    # ------------------------------------------------------------------------ patience

    def _may_repeat_read(self, answer: Answer) -> bool:
        if not isinstance(answer, Reply):
            return not isinstance(answer, Held)
        if answer.status < 400:
            return False
        if answer.status in (408, 429) or answer.status >= 500:
            return True
        return self.fault_of(answer).code in self._service.busy_codes

    def _wait(self, state: RetryCallState) -> float:
        """Seconds before the next attempt: what Retry-After says, else growing ones.

        Where another application user is free, its turn comes at once.
        """
        answer = _outcome(state)
        if isinstance(answer, Reply):
            after = self.fault_of(answer).retry_after
            if after:
                return min(after, self.governor.wait()) if self.users > 1 else after
        return self._backoff(state)

    def _ends(self, state: RetryCallState) -> bool:
        """Whether the next attempt would be one too many, or begin too late."""
        # A sleep that is not slept, as in tests, is counted as well.
        spent = max(state.seconds_since_start or 0.0, state.idle_for)
        late = spent + state.upcoming_sleep > self._patience.whole
        return late or state.attempt_number >= self._patience.attempts

    def _note_wait(self, state: RetryCallState) -> None:
        answer, seconds = _outcome(state), state.upcoming_sleep
        assert not isinstance(answer, Held), "it is given back, not tried again"
        what = f"status {answer.status}" if isinstance(answer, Reply) else answer.text
        _LOG.info("%s: %s, next attempt in %.1f s", self.naming.side, what, seconds)
        if isinstance(answer, Reply) and self._refusal(answer) is not None:
            self.meter.waits(seconds)

    def unreachable(self, answer: Lost | Unsent) -> UnreachableError:
        """The error for an answer that did not come."""
        return answers.unreachable(self.naming, self.origin, self._patience.attempts, answer)

    def _unavailable(self, fault: Fault) -> UnreachableError:
        return answers.unavailable(self.naming, self.origin, self._patience.attempts, fault)


class _Request(NamedTuple):
    """What is sent, possibly several times."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes | None
    call: Call | None = None
    user: int | None = None
    timeout: float | None = None


class _Proof(AuthBase):
    """Sets the token; being an auth object also keeps a .netrc file from replacing it."""

    def __init__(self, scheme: str, token: str) -> None:
        self._scheme = scheme
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._scheme:
            request.headers["Authorization"] = f"{self._scheme} {self._token}"
        return request


def _outcome(state: RetryCallState) -> Answer:
    assert state.outcome is not None, "asked before the first attempt ended"
    answer: Answer = state.outcome.result()
    return answer


def _may_repeat_write(answer: Answer) -> bool:
    if isinstance(answer, Reply):
        if answer.status == 503:
            return "Retry-After" in answer.headers
        return answer.status == 429
    return isinstance(answer, Unsent)
