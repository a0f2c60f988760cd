"""Reading `$metadata`: values with their facets, and little memory for any size."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import pytest

from connector.odata.csdl import EntitySet, EntityType, EnumType, Property, stream_csdl
from connector.odata.malformed import MalformedError

HEAD = (
    '<edmx:Edmx Version="4.0" xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx">'
    '<edmx:DataServices><Schema Namespace="My.Shop" Alias="shop" '
    'xmlns="http://docs.oasis-open.org/odata/ns/edm">'
)
CARD = (
    '<EntityType Name="Card" BaseType="shop.Thing"><Key><PropertyRef Name="Number"/></Key>'
    '<Property Name="Number" Type="Edm.String" MaxLength="30" Nullable="false"/>'
    '<Property Name="Since" Type="Edm.DateTimeOffset">'
    '<Annotation Term="AX.Type"><EnumMember>AX.Type/Date</EnumMember></Annotation>'
    '<Annotation Term="Core.Computed" Bool="true"/></Property>'
    '<Property Name="Kind" Type="shop.Kind"/></EntityType>'
)
KIND = '<EnumType Name="Kind"><Member Name="Plain" Value="3"/><Member Name="Gold"/></EnumType>'
SET = (
    '<EntitySet Name="Cards" EntityType="shop.Card"><Annotation Term="Core.Concurrency"/>'
    "</EntitySet>"
)
TAIL = "</Schema></edmx:DataServices></edmx:Edmx>"
DOCUMENT = f'{HEAD}{KIND}{CARD}<EntityContainer Name="C">{SET}</EntityContainer>{TAIL}'.encode()


def parts(document: bytes) -> dict[str, EntityType | EnumType | EntitySet]:
    return dict(stream_csdl(io.BytesIO(document)))


def test_types_sets_and_enumerations_come_by_name() -> None:
    found = parts(DOCUMENT)
    assert list(found) == ["My.Shop.Kind", "My.Shop.Card", "Cards"]
    assert found["Cards"] == EntitySet("My.Shop.Card", frozenset({"Core.Concurrency"}))
    assert found["My.Shop.Kind"] == EnumType({"Plain": 3, "Gold": 1})
    card = found["My.Shop.Card"]
    assert isinstance(card, EntityType)
    assert (card.base, card.key) == ("My.Shop.Thing", ("Number",))
    assert card.properties["Since"].annotations == {"AX.Type": "Date", "Core.Computed": "true"}


def test_properties_come_with_their_facets() -> None:
    given = (
        '<Property Name="Id" Type="Edm.Guid" Nullable="false"/>'
        '<Property Name="Note" Type="Edm.String" MaxLength="Max" Unicode="false"/>'
        '<Property Name="Amount" Type="Edm.Decimal" Precision="19" Scale="4"/>'
    )
    card = parts(f'{HEAD}<EntityType Name="Card">{given}</EntityType>{TAIL}'.encode())[
        "My.Shop.Card"
    ]
    assert isinstance(card, EntityType)
    assert list(card.properties.values()) == [
        Property("Id", "Edm.Guid", nullable=False),
        Property("Note", "Edm.String"),
        Property("Amount", "Edm.Decimal", precision=19, scale=4),
    ]


def test_entities_are_not_resolved() -> None:
    evil = b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/hostname">]>' + DOCUMENT
    assert parts(evil.replace(b"<EntityContainer", b"&e;<EntityContainer")) == parts(DOCUMENT)


@pytest.mark.parametrize(
    "document", [b"", b"<html><body>no</body></html>", DOCUMENT[:-30], b"<a><b></a>", b"plain"]
)
def test_what_is_no_whole_document_is_refused(document: bytes) -> None:
    with pytest.raises(MalformedError):
        parts(document)


MEASURED = """
import resource, sys
from connector.odata.csdl import stream_csdl
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
with open(sys.argv[1], "rb") as file:
    next(stream_csdl(file))
    before = peak()
    file.seek(0)
    print(sum(1 for _ in stream_csdl(file)), peak() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="kilobytes of peak memory are Linux's")
def test_a_large_document_needs_little_memory(tmp_path: Path) -> None:
    """A tree of it would take ten times its size."""
    many = "".join(CARD.replace('"Card"', f'"Card{n}"') for n in range(10_000))
    document = tmp_path / "metadata.xml"
    document.write_text(f"{HEAD}{many}{TAIL}", encoding="utf-8")
    told = subprocess.run(
        [sys.executable, "-c", MEASURED, str(document)], check=True, capture_output=True
    )
    count, kilobytes = map(int, told.stdout.split())
    assert count == 10_000
    assert kilobytes < document.stat().st_size / 1024
