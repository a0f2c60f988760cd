"""Opening a ledger: creation, identity, versions, what cannot be opened."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa

from connector.errors import ConfigError, RecordError, UnreachableError
from connector.ledger.ledger import Ledger
from connector.ledger.members.tables import cards_by_party, customer_groups
from connector.ledger.programs import store as programs
from connector.ledger.programs.document import ProgramDocument
from connector.ledger.programs.reading import parsed
from connector.ledger.programs.tables import document_kinds
from connector.ledger.programs.yaml_text import read_yaml
from connector.ledger.schema import CURRENCIES, REFERENCES, ledger_info
from connector.ledger.sql import transaction


def url(path: Path) -> str:
    return f"sqlite:///{path}"


def test_a_new_ledger_knows_the_common_currencies(ledger: Ledger) -> None:
    table = REFERENCES["currencies"]
    with ledger.reading() as connection:
        codes = set(connection.scalars(sa.select(table.c.number)))
    assert codes == set(CURRENCIES) >= {"USD", "EUR", "CAD", "GBP", "DKK", "SEK"}


def test_a_ledger_keeps_its_identity_and_records(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "folder" / "ledger.db"
    with Ledger.open(url(path)) as first:
        first.store("cards").create({"CardNumber": "1"}, by="ann")
    with Ledger.open(url(path), create=False) as again:
        assert again.id == first.id
        assert again.store("cards").count() == 1
    with Ledger.open(url(tmp_path / "other.db")) as other:
        assert other.id != first.id


def test_processes_that_open_a_new_ledger_together_agree_on_one(tmp_path: Path) -> None:
    def opened_id(_: int) -> str:
        with Ledger.open(url(tmp_path / "ledger.db")) as ledger:
            return ledger.id

    with ThreadPoolExecutor(6) as pool:
        assert len(set(pool.map(opened_id, range(6)))) == 1


def test_a_ledger_that_shall_not_be_made_is_not_made(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    with pytest.raises(ConfigError) as caught:
        Ledger.open(url(path), create=False)
    assert caught.value.code == "ledger-missing"
    assert not path.exists()
    path.touch()  # an empty file is a valid, empty database
    with pytest.raises(ConfigError) as caught:
        Ledger.open(url(path), create=False)
    assert caught.value.code == "ledger-missing"


def test_a_ledger_of_another_version_is_refused(ledger: Ledger) -> None:
    with transaction(ledger._engine, write=True) as connection:
        connection.execute(sa.update(ledger_info).values(schema_version=99))
    with pytest.raises(ConfigError) as caught:
        Ledger.open(ledger.title)
    assert caught.value.code == "ledger-version"
    assert "99" in caught.value.message


def test_an_older_ledger_gets_the_tables_and_the_index_it_lacks(ledger: Ledger) -> None:
    with transaction(ledger._engine, write=True) as connection:
        customer_groups.drop(connection)
        cards_by_party.drop(connection)
        connection.execute(sa.update(ledger_info).values(schema_version=1))
    with Ledger.open(ledger.title) as opened, opened.reading() as connection:
        looked = sa.inspect(connection)
        assert looked.has_table(customer_groups.name)
        assert cards_by_party.name in {one["name"] for one in looked.get_indexes("loyalty_cards")}


def test_an_older_ledger_gets_the_columns_it_lacks_and_its_programs_are_bound(
    ledger: Ledger,
) -> None:
    points = ledger.store("reward-points")
    kind = points.create({"RewardPointId": "bonus", "RewardPointType": "Quantity"}, by="test")
    text = "{program: club, earn: [{rule: each, by: sale, points: 1, kind: bonus}]}"
    with ledger.writing("test") as open_:
        document = parsed(ProgramDocument, read_yaml(text, "club.yaml"))
        programs.keep(open_, document, text)
    with transaction(ledger._engine, write=True) as connection:
        document_kinds.drop(connection)
        for table, column in (("sales", "utc_offset"), ("point_entries", "for_tiers")):
            connection.execute(sa.text(f"ALTER TABLE {table} DROP COLUMN {column}"))
        connection.execute(sa.update(ledger_info).values(schema_version=2))
    for _ in range(2):
        with Ledger.open(ledger.title) as opened, opened.reading() as connection:
            columns = sa.inspect(connection).get_columns("sales")
            assert "utc_offset" in {one["name"] for one in columns}
            (bound,) = connection.execute(sa.select(document_kinds)).all()
            assert bound == ("club", 1, "bonus", kind.id)


@pytest.mark.parametrize("broken", ["sqlite://", "sqlite:///:memory:", "nonsense", "cobol:///x"])
def test_a_url_that_names_no_ledger_is_refused(broken: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Ledger.open(broken)
    assert caught.value.code == "ledger-url"


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    path.write_text("Loyalty_Number,Country\n" * 100)
    with pytest.raises(ConfigError) as caught:
        Ledger.open(url(path))
    assert caught.value.code == "ledger-unusable"
    assert path.read_text().startswith("Loyalty_Number"), "it was not touched"


def test_a_path_that_is_a_folder_is_unreachable(tmp_path: Path) -> None:
    with pytest.raises(UnreachableError) as caught:
        Ledger.open(url(tmp_path))
    assert caught.value.code == "ledger-unreachable"


@pytest.mark.parametrize("value", ["\udcff", 2**64])
def test_what_no_database_takes_is_refused_without_quoting_it(
    ledger: Ledger, value: object
) -> None:
    with pytest.raises(RecordError) as caught, ledger.reading() as connection:
        connection.execute(sa.select(ledger_info).where(sa.literal(value) == 1))
    assert caught.value.code == "text-invalid"
    assert str(value) not in str(caught.value)
