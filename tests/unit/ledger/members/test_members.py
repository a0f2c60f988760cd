"""Groups, households and joined programs: who is in what, since when, by whom."""

from __future__ import annotations

import pytest

from connector.errors import RecordError
from connector.ledger.desk import Customer, Desk
from connector.ledger.ledger import Ledger
from connector.ledger.members.groups import GroupKind, Groups
from connector.ledger.members.households import Households
from connector.ledger.members.joining import Joining
from connector.ledger.programs.document import ProgramDocument
from connector.ledger.programs.store import keep
from tests.unit.ledger.conftest import START, Clock


@pytest.fixture
def desk(ledger: Ledger) -> Desk:
    desk = Desk(ledger)
    for card, party in (("A1", "Anna"), ("A2", "Anna"), ("B1", "Ben")):
        desk.issue(card, Customer(party, create=True), by="test")
    desk.issue("N1", by="test")
    with ledger.writing("test") as transaction:
        keep(transaction, ProgramDocument.model_validate({"program": "gold-club"}), "")
    return desk


def refused(error: pytest.ExceptionInfo[RecordError]) -> str:
    assert error.value.remedy
    return error.value.code


@pytest.mark.usefixtures("desk")
class TestGroups:
    def test_a_customer_is_added_once_whatever_the_case(self, ledger: Ledger) -> None:
        groups = Groups(ledger)
        assert groups.add("ANNA", " Staff ", by="ann")
        assert not groups.add("anna", "STAFF", by="ben")
        (one,) = groups.members()
        assert one == ("Anna", "Staff", GroupKind.GROUP, START, "ann")
        assert groups.remove("anna", "staff", by="ann")
        assert not groups.remove("anna", "staff", by="ann")
        assert groups.members() == []

    def test_members_are_listed_by_group_and_by_customer(self, ledger: Ledger) -> None:
        groups = Groups(ledger)
        for party, group in (("Ben", "staff"), ("Anna", "Staff"), ("Anna", "family")):
            groups.add(party, group, by="ann")
        groups.add("Ben", "veteran", GroupKind.AFFILIATION, by="ann")
        assert [one.party for one in groups.members("STAFF")] == ["Anna", "Ben"]
        assert [one.group for one in groups.members(party="ben")] == ["staff", "veteran"]
        assert len(groups.members(limit=3)) == 3
        assert [(name.casefold(), kind, size) for name, kind, size in groups.sizes()] == [
            ("family", "group", 1),
            ("staff", "group", 2),
            ("veteran", "affiliation", 1),
        ]

    def test_a_name_is_a_group_or_an_affiliation(self, ledger: Ledger) -> None:
        Groups(ledger).add("Anna", "staff", by="ann")
        with pytest.raises(RecordError) as error:
            Groups(ledger).add("Ben", "Staff", GroupKind.AFFILIATION, by="ann")
        assert refused(error) == "group-kind"

    def test_a_customer_nobody_knows_is_added_where_asked(self, ledger: Ledger) -> None:
        with pytest.raises(RecordError) as error:
            Groups(ledger).add("Carl", "staff", by="ann")
        assert refused(error) == "customer-unknown"
        assert Groups(ledger).add("Carl", "staff", by="ann", create=True)
        assert [one.party for one in Groups(ledger).members(party="carl")] == ["Carl"]

    @pytest.mark.parametrize(
        ("name", "code"),
        [(" ", "name-missing"), ("x" * 65, "text-too-long"), ("a\tb", "text-invalid")],
    )
    def test_a_name_that_is_none_is_refused(self, ledger: Ledger, name: str, code: str) -> None:
        with pytest.raises(RecordError) as error:
            Groups(ledger).add("Anna", name, by="ann")
        assert refused(error) == code


@pytest.mark.usefixtures("desk")
class TestHouseholds:
    def test_a_customer_lives_in_one_household(self, ledger: Ledger, clock: Clock) -> None:
        households = Households(ledger)
        assert households.set("anna", "Elm Street 1", by="ann")
        clock.forward(60)
        assert households.set("Ben", "elm street 1", by="ann")
        assert not households.set("Ben", "ELM STREET 1", by="ann")
        assert [one.party for one in households.members("elm STREET 1")] == ["Anna", "Ben"]
        assert [one.party for one in households.of("ben")] == ["Anna", "Ben"]
        assert households.set("Ben", "Oak Street 2", by="ann")
        assert [one.party for one in households.of("Anna")] == ["Anna"]
        assert households.leave("Ben", by="ann")
        assert not households.leave("Ben", by="ann")
        assert households.of("Ben") == []

    def test_one_nobody_lives_in_is_unknown(self, ledger: Ledger) -> None:
        with pytest.raises(RecordError) as error:
            Households(ledger).members("Nowhere")
        assert refused(error) == "household-unknown"


class TestJoining:
    def test_a_card_joins_once_and_leaves(self, ledger: Ledger, desk: Desk) -> None:
        joining = Joining(ledger)
        assert joining.join("a1", "Gold-Club", by="ann")
        assert not joining.join("A1", "gold-club ", by="ben")
        assert joining.of("A1") == [("gold-club", START, "ann")]
        assert joining.of("A2") == []
        assert joining.leave("A1", "GOLD-CLUB", by="ann")
        assert not joining.leave("A1", "Gold-Club", by="ann")
        with pytest.raises(RecordError) as error:
            joining.join("none", "Gold-Club", by="ann")
        assert refused(error) == "card-unknown"

    def test_a_replacement_is_in_the_same_programs(self, ledger: Ledger, desk: Desk) -> None:
        Joining(ledger).join("A1", "Gold-Club", by="ann")
        desk.replace("A1", "A9", by="ben")
        assert Joining(ledger).of("A9") == [("gold-club", START, "ann")]

    def test_a_card_that_goes_takes_them_along(self, ledger: Ledger, desk: Desk) -> None:
        Joining(ledger).join("N1", "Gold-Club", by="ann")
        record = ledger.store("cards").find("N1")
        assert record is not None
        ledger.store("cards").delete(record.id, by="ann")
        assert ledger.store("cards").find("N1") is None
