"""A bound on the whole of one request: a reply that trickles in ends too.

Owns: the time at which a thread's request is given up, and the connections that keep to it.
Never does: sending; deciding how long a request may take (`transport.py`).
Tested in: tests/unit/endpoints/web/test_deadline.py.

The timeouts of the HTTP library are for each read of the socket: a service that sends a byte now
and then would hold its turn for ever. Here each read and each write waits for what is left of the
whole. `SSLContext.sslsocket_class` is Python's own way to have sockets of one's own kind; nothing
is added to a request but two comparisons per read.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from ssl import SSLSocket
from time import monotonic
from typing import TYPE_CHECKING, Any

from requests.adapters import HTTPAdapter
from urllib3.util.ssl_ import create_urllib3_context

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer


class _Ends(threading.local):
    """When the request of this thread is given up, by the monotonic clock."""

    at = math.inf


_ENDS = _Ends()


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """What this thread sends and receives over an `Adapter` takes so long at most.

    Beyond it the library raises a timeout, as for a read that waited too long.
    """
    _ENDS.at = monotonic() + seconds
    try:
        yield
    finally:
        _ENDS.at = math.inf


class _Socket(SSLSocket):
    """A TLS socket whose reads and writes end with the request they belong to."""

    def recv_into(self, buffer: WriteableBuffer, nbytes: int | None = None, flags: int = 0) -> int:
        self._bound()
        return super().recv_into(buffer, nbytes, flags)

    def send(self, data: ReadableBuffer, flags: int = 0) -> int:
        self._bound()
        return super().send(data, flags)

    def _bound(self) -> None:
        if _ENDS.at == math.inf:
            return
        left = _ENDS.at - monotonic()
        if left <= 0:
            raise TimeoutError("the reply took longer than it may in all")
        own = self.gettimeout()
        if own is None or own > left:
            self.settimeout(left)


class Adapter(HTTPAdapter):
    """Connections that keep to `within`."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """See the base class."""
        super().init_poolmanager(*args, ssl_context=_context(), **kwargs)

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        """See the base class."""
        return super().proxy_manager_for(proxy, ssl_context=_context(), **kwargs)


def _context() -> Any:
    context = create_urllib3_context()
    context.sslsocket_class = _Socket
    return context
