"""Reading `$metadata`."""

import pytest

from connector.odata.csdl import Model, NavigationProperty, Property, parse_csdl
from connector.odata.malformed import MalformedError

DOCUMENT = b"""<?xml version="1.0" encoding="utf-8"?>
<edmx:Edmx Version="4.0" xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx">
<edmx:DataServices>
<Schema Namespace="Microsoft.Dynamics.CRM" Alias="mscrm"
        xmlns="http://docs.oasis-open.org/odata/ns/edm">
  <EntityType Name="crmbaseentity" Abstract="true"/>
  <EntityType Name="msdyn_loyaltycard" BaseType="mscrm.crmbaseentity">
    <Key><PropertyRef Name="msdyn_loyaltycardid"/></Key>
    <Property Name="msdyn_loyaltycardid" Type="Edm.Guid" Nullable="false"/>
    <Property Name="msdyn_cardnumber" Type="Edm.String" MaxLength="30" Unicode="false"/>
    <Property Name="note" Type="Edm.String" MaxLength="Max"/>
    <Property Name="amount" Type="Edm.Decimal" Precision="19" Scale="4"/>
    <Property Name="_msdyn_contact_value" Type="Edm.Guid"/>
    <NavigationProperty Name="msdyn_Contact" Type="mscrm.contact">
      <ReferentialConstraint Property="_msdyn_contact_value" ReferencedProperty="contactid"/>
    </NavigationProperty>
    <NavigationProperty Name="card_notes" Type="Collection(mscrm.annotation)"/>
    <Annotation Term="OData.Community.Keys.V1.AlternateKeys"><Collection>
      <Record Type="OData.Community.Keys.V1.AlternateKey"><PropertyValue Property="Key"><Collection>
        <Record Type="OData.Community.Keys.V1.PropertyRef">
          <PropertyValue Property="Alias" String="msdyn_cardnumber"/>
          <PropertyValue Property="Name" PropertyPath="msdyn_cardnumber"/></Record>
        <Record Type="OData.Community.Keys.V1.PropertyRef">
          <PropertyValue Property="Alias" String="note"/>
          <PropertyValue Property="Name" PropertyPath="note"/></Record>
      </Collection></PropertyValue></Record>
    </Collection></Annotation>
  </EntityType>
  <EntityContainer Name="System">
    <EntitySet Name="msdyn_loyaltycards" EntityType="mscrm.msdyn_loyaltycard"/>
  </EntityContainer>
</Schema></edmx:DataServices></edmx:Edmx>"""


@pytest.fixture(scope="module")
def model() -> Model:
    return parse_csdl(DOCUMENT)


def test_a_set_leads_to_its_type_through_the_alias(model: Model) -> None:
    assert model.sets == {"msdyn_loyaltycards": "Microsoft.Dynamics.CRM.msdyn_loyaltycard"}
    card = model.type_of("msdyn_loyaltycards")
    assert card.name == "msdyn_loyaltycard"
    assert card.base == "Microsoft.Dynamics.CRM.crmbaseentity"
    assert card.key == ("msdyn_loyaltycardid",)


def test_properties_with_their_facets(model: Model) -> None:
    card = model.type_of("msdyn_loyaltycards")
    assert list(card.properties.values()) == [
        Property("msdyn_loyaltycardid", "Edm.Guid", nullable=False),
        Property("msdyn_cardnumber", "Edm.String", max_length=30),
        Property("note", "Edm.String"),
        Property("amount", "Edm.Decimal", precision=19, scale=4),
        Property("_msdyn_contact_value", "Edm.Guid"),
    ]


def test_navigation_and_alternate_keys(model: Model) -> None:
    card = model.type_of("msdyn_loyaltycards")
    assert card.navigation["msdyn_Contact"] == NavigationProperty(
        "msdyn_Contact",
        "Microsoft.Dynamics.CRM.contact",
        collection=False,
        constraints={"_msdyn_contact_value": "contactid"},
    )
    assert card.navigation["card_notes"].collection
    assert card.navigation["card_notes"].type == "Microsoft.Dynamics.CRM.annotation"
    assert card.alternate_keys == (("msdyn_cardnumber", "note"),)


@pytest.mark.parametrize("document", [b"", b"<html>", b"<a/>"])
def test_what_is_no_csdl_is_refused(document: bytes) -> None:
    with pytest.raises(MalformedError):
        parse_csdl(document)


def test_entities_are_not_resolved() -> None:
    evil = DOCUMENT.replace(
        b"<edmx:Edmx", b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/hostname">]><edmx:Edmx', 1
    ).replace(b'Alias="mscrm"', b'Alias="mscrm" Note=""', 1)
    evil = evil.replace(b"<EntityContainer", b"&e;<EntityContainer", 1)
    assert parse_csdl(evil).sets == parse_csdl(DOCUMENT).sets
