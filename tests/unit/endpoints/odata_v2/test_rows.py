"""Numbers of a service that keeps to no type: decimals as JSON numbers, with all their digits."""

from __future__ import annotations

from decimal import Decimal

from connector.endpoints.base import Update
from connector.endpoints.odata_v2 import ODataV2Endpoint
from connector.endpoints.odata_v2.edm import TYPES
from connector.endpoints.odata_v2.rows import answer_of
from connector.endpoints.odata_v2.steps import Preparation, Step

WIRE = b'{"d": {"results": [{"CardNumber": "K0", "Balance": 123456789012345.6789}]}}'
EXACT = Decimal("123456789012345.6789")


def test_a_decimal_that_comes_as_a_number_keeps_its_digits() -> None:
    (entity,) = answer_of(WIRE).entities
    assert TYPES["Edm.Decimal"].read(entity["Balance"]) == EXACT


def test_a_row_that_is_written_whole_keeps_the_digits_of_what_is_not_mapped(
    endpoint: ODataV2Endpoint,
) -> None:
    table = endpoint._tables.get("Cards")
    preparation = Preparation(table, "PUT")
    step = preparation.step(0, Update("CardNumber='K0'", None, {"Note": "new"}))
    assert isinstance(step, Step)
    (entity,) = answer_of(WIRE).entities
    body = preparation.completed(step, entity).request.get_body()
    assert b'"Balance":123456789012345.6789' in body.encode()
    assert '"Note":"new"' in body
