"""A transport to a scripted service."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connector.endpoints.dataverse.service import SERVICE
from connector.endpoints.web.governor import Governor
from connector.endpoints.web.transport import Transport

if TYPE_CHECKING:
    from tests.unit.endpoints.scripted import Service


HOST = "https://org.example"


def transport_to(
    service: Service, url: str = HOST, ca: str | None = None, governor: Governor | None = None
) -> Transport:
    return Transport(
        SERVICE,
        url,
        tokens=[service],
        ca=ca,
        patience=service.patience,
        clock=service.clock,
        timeout=60,
        connections=2,
        governor=governor
        or Governor(clock=service.patience.monotonic, sleep=service.patience.sleep),
    )
