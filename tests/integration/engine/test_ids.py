"""Sides whose ids we do not choose: those whose rows are identified by their key, and those that
allot ids."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from connector.endpoints.base import Create
from connector.mapping.values import Side
from connector.store.work import ChangeKind
from tests.integration.engine.conftest import map_text

if TYPE_CHECKING:
    from tests.integration.engine.conftest import Bench, MakeBench

C, D = Side.COMMERCE, Side.DATAVERSE


def keyed(make_bench: MakeBench, text: str = "") -> Bench:
    """A bench whose commerce side knows a row by its key and names nobody who changed it."""
    bench = make_bench(text or map_text())
    bench.commerce.ids, bench.commerce.names_modifiers = "key", False
    return bench


def allotting(make_bench: MakeBench, text: str = "") -> Bench:
    """A bench whose commerce side gives each row an id of its own choice."""
    bench = make_bench(text or map_text())
    bench.commerce.ids, bench.commerce.names_modifiers = "allotted", False
    return bench


# ------------------------------------------------------------------ the id of a create


def test_a_key_is_the_id_before_the_create_leaves(make_bench: MakeBench) -> None:
    bench = keyed(make_bench)
    bench.dataverse.put("cards", "d", number="N1", name="theirs", active=True)
    bench.load()
    (create,) = bench.commerce.written
    assert isinstance(create, Create)
    assert create.id == "Number='N1'"
    assert bench.record("N1").commerce.id == "Number='N1'"
    bench.assert_settled()


@pytest.mark.parametrize("shown", [True, False])
def test_an_allotted_id_is_kept_in_the_record_and_in_the_audit(
    make_bench: MakeBench, shown: bool
) -> None:
    bench = allotting(make_bench)
    bench.commerce.sees_creates = shown
    bench.dataverse.put("cards", "d", number="N1", name="theirs", active=True)
    bench.load()
    (id,) = bench.commerce.rows["Cards"]
    assert bench.record("N1").commerce.id == id
    told = [row.target for row in bench.history("N1") if row.kind is ChangeKind.CREATE]
    assert told == [id]
    bench.assert_settled()
