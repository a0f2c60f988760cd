"""Cards on the V2 service: writing them, and the library by itself beside the endpoint."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyodata
import requests
from pyodata.v2.model import Config

from connector.endpoints.base import (
    Applied,
    Create,
    Operation,
    Outcome,
    Row,
)
from connector.endpoints.odata_v2 import ODataV2Endpoint
from connector.mapping.values import Value
from tests.integration.odata_v2.service import Service

if TYPE_CHECKING:
    pass


COLUMNS = ("CardNumber", "Note")


def card(number: str, **values: Value) -> Create:
    spelled = number.replace("'", "''")
    return Create(f"CardNumber='{spelled}'", {"CardNumber": number, **values})


def write(endpoint: ODataV2Endpoint, *operations: Operation) -> list[Outcome]:
    return list(endpoint.write("Cards", COLUMNS, operations))


def fill(endpoint: ODataV2Endpoint, count: int) -> dict[str, Row]:
    """Cards K0, K1 ... as they are after their creates, by number."""
    rows: dict[str, Row] = {}
    creates = [card(f"K{number}", Note="t") for number in range(count)]
    for at in range(0, count, 100):
        for outcome in write(endpoint, *creates[at : at + 100]):
            assert isinstance(outcome, Applied)
            assert outcome.row is not None
            rows[str(outcome.row.image[0])] = outcome.row
    return rows


def alone(service: Service, **config: Any) -> Any:
    """The library by itself on the same service."""
    session = requests.Session()
    session.trust_env = False
    session.verify = service.ca
    return pyodata.Client(service.url, session, config=Config(**config))


def notes(service: Service) -> dict[str, Any]:
    return {row["CardNumber"]: row["Note"] for row in service.types["Cards"].rows.values()}
