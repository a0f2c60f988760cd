"""Fetching a package from where the service put it.

Owns: the one request that leaves without our token, its bounds, the way to disk.
Never does: naming the address in full, which anybody could read the package with; reading it.
Tested in: tests/unit/endpoints/finops/exports/test_download.py.

Facts: "Data management: data management package REST API" (the address has its own signature);
"Recurring integrations" (behind a balancer the address may say http where https is meant).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urlsplit, urlunsplit

import requests

from connector.endpoints.finops.exports.faults import broken
from connector.endpoints.snapshots import writing
from connector.endpoints.web.deadline import Adapter, within
from connector.errors import Subject, UnreachableError

LARGEST = 4 * 1024**3
"""Bytes of a package."""
WHOLE = 1800.0
"""Seconds one download may take."""
TRIES = 3
_PIECE = 1 << 18


class Downloads:
    """Fetches packages; `verify` is a CA file or True, `timeout` seconds without a byte."""

    def __init__(
        self,
        verify: str | bool,
        timeout: float,
        *,
        local: bool = False,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._session = requests.Session()
        self._session.mount("https://", Adapter())
        self._session.trust_env = not local
        self._verify = verify
        self._timeout = timeout
        self._monotonic = monotonic

    def fetch(self, url: str, path: Path) -> None:
        """The package, whole, at `path`; a transfer that broke off is begun anew.

        Raises `UnreachableError` (`package-unreachable`, or `package-broken` for one too large)
        and `StateError` (`snapshot-unwritable`).
        """
        secure, shown = _secured(url)
        cause = ""
        for _ in range(TRIES):
            try:
                cause = self._fetched(secure, path)
            except (requests.RequestException, OSError) as error:
                cause = type(error).__name__  # its text holds the address
            if not cause:
                return
        raise UnreachableError(
            "package-unreachable",
            f"the exported package at {shown} cannot be fetched",
            remedy="let this machine reach that host over https, then run the command again: it "
            "goes on with the same job",
            subject=Subject(side="commerce"),
            tried=f"{TRIES} times",
            cause=cause,
        )

    def close(self) -> None:
        """Release the connections."""
        self._session.close()

    def _fetched(self, url: str, path: Path) -> str:
        """Why the package is not there; empty where it is."""
        end = self._monotonic() + WHOLE
        # A piece whose bytes come one by one would not end by itself.
        with (
            within(WHOLE),
            self._session.get(
                url,
                stream=True,
                auth=_nothing,
                timeout=self._timeout,
                verify=self._verify,
                allow_redirects=False,
                headers={"Accept-Encoding": "identity", "User-Agent": "dualwrite"},
            ) as response,
        ):
            if response.status_code != 200:
                return f"status {response.status_code}"
            announced = response.headers.get("Content-Length", "")
            received = 0
            with _opened(path) as file:
                for piece in response.iter_content(_PIECE):
                    received += file.write(piece)
                    if received > LARGEST:
                        raise broken(f"the package has more than {LARGEST} bytes")
                    if self._monotonic() > end:
                        return f"not whole after {WHOLE:.0f} s"
        whole = not announced.isdecimal() or int(announced) == received
        return "" if whole else f"{received} of {announced} bytes came"


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    """The file a package goes to; a disk that fails is our own and no fault of a connection."""
    try:
        with path.open("wb") as file:
            yield file
    except requests.RequestException:  # which the library makes an OSError as well
        raise
    except OSError:
        with writing(path.parent):
            raise


def _nothing(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """In the place of credentials: keeps a .netrc file from adding some."""
    return request


def _secured(url: str) -> tuple[str, str]:
    """The address with https, and what may be shown of it. Raises `UnreachableError`."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    if parts.scheme == "http" and parts.port in (None, 80):
        host = parts.hostname or host
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise broken("the service names no address for the package")
    shown = urlunsplit(("https", host, parts.path, "", ""))
    return urlunsplit(("https", host, parts.path, parts.query, "")), shown
