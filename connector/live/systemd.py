"""Telling systemd that the service is ready, or stops.

Owns: the message to the socket that `Type=notify` names in the environment.
Never does: failing: a service that nobody listens to is as good.
Tested in: tests/unit/live/test_systemd.py.
"""

from __future__ import annotations

import logging
import os
import socket

_LOG = logging.getLogger(__name__)


def notify(*states: str) -> None:
    """Send states such as `READY=1`; nothing happens where no socket is named."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    if address.startswith("@"):  # Linux: an abstract name, no file
        address = "\0" + address[1:]
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.sendto("\n".join(states).encode(), address)
    except OSError as error:
        _LOG.warning("systemd was not told: %s", error.strerror)
