"""What stays although it is deleted: kinds of points that programs and rewards name."""

from __future__ import annotations

from connector.ledger.ledger import Ledger
from connector.ledger.operations import Done, Refused, Remove
from connector.ledger.programs import store
from connector.ledger.programs.document import ProgramDocument
from connector.ledger.rewards import store as rewards
from connector.ledger.rewards.document import RewardDocument


def made(ledger: Ledger, kind: str = "bonus") -> str:
    values = {"RewardPointId": kind, "RewardPointType": "Quantity"}
    return ledger.store("reward-points").create(values, by="test").id


def deleted(ledger: Ledger, kind: str) -> str:
    (result,) = ledger.store("reward-points").apply([Remove(kind, None)], by="test")
    if isinstance(result, Refused):
        return f"{result.error.code}: {result.error.message.partition(',')[0]}"
    assert isinstance(result, Done)
    return result.effect


def keep(ledger: Ledger, kind: str) -> None:
    rule = {"rule": "each", "by": "sale", "points": 1, "kind": kind}
    document = ProgramDocument.model_validate({"program": "club", "earn": [rule]})
    with ledger.writing("test") as transaction:
        store.keep(transaction, document, "")


def test_a_kind_that_a_program_names_stays_while_it_does(ledger: Ledger) -> None:
    kind, other = made(ledger), made(ledger, "other")
    keep(ledger, "bonus")
    told = "kind-named: the program `club` names this kind of points"
    assert deleted(ledger, kind) == told
    with ledger.writing("test") as transaction:
        store.switch(transaction, "club", active=False)
    keep(ledger, "other")
    assert deleted(ledger, kind) == "deleted"
    with ledger.writing("test") as transaction:
        store.switch(transaction, "club", active=True)
    assert deleted(ledger, other) == told


def test_a_kind_that_a_reward_pays_stays(ledger: Ledger) -> None:
    kind, other = made(ledger), made(ledger, "other")
    for name in ("bonus", "other"):
        content = {"reward": "mugs", "name": "Mugs", "type": "fixed", "points": 5, "kind": name}
        document = RewardDocument.model_validate({**content, "rules": [{"rule": "any"}]})
        with ledger.writing("test") as transaction:
            rewards.keep(transaction, document)
    assert deleted(ledger, kind) == "deleted"
    assert deleted(ledger, other) == "kind-named: the reward `mugs` names this kind of points"
