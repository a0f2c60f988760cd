"""A scripted Dataverse, and one table of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
import responses
from requests import PreparedRequest

from connector.endpoints.dataverse import DataverseEndpoint
from tests.unit.endpoints.scripted import Service, query

HOST = "https://org.example"
API = f"{HOST}/api/data/v9.2/"


@pytest.fixture
def query_of() -> Callable[[PreparedRequest], dict[str, str]]:
    return query


@pytest.fixture
def service() -> Iterator[Service]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield Service(mock, API)


@pytest.fixture
def endpoint(service: Service) -> Iterator[DataverseEndpoint]:
    made = DataverseEndpoint(
        HOST, tokens=service, ca=None, patience=service.patience, clock=service.clock, page_size=2
    )
    yield made
    made.close()


def attribute(name: str, kind: str, **facets: Any) -> dict[str, Any]:
    """One AttributeMetadata as the service shows it."""
    return {
        "LogicalName": name,
        "AttributeType": kind,
        "IsValidForCreate": True,
        "IsValidForUpdate": True,
        "IsValidForRead": True,
        "IsSecured": False,
        "RequiredLevel": {"Value": "None"},
        **facets,
    }


def kept(name: str, kind: str, **facets: Any) -> dict[str, Any]:
    """One the service fills in itself."""
    return attribute(name, kind, IsValidForCreate=False, IsValidForUpdate=False, **facets)


ATTRIBUTES = [
    attribute(
        "pointid",
        "Uniqueidentifier",
        RequiredLevel={"Value": "SystemRequired"},
        IsValidForUpdate=False,
    ),
    attribute("name", "String", MaxLength=30, RequiredLevel={"Value": "ApplicationRequired"}),
    attribute("unit", "Picklist"),
    attribute("redeemable", "Boolean"),
    attribute("rank", "Integer", MinValue=0, MaxValue=100),
    attribute(
        "price", "Money", Precision=2, PrecisionSource=2, MinValue=-1000000000.5, MaxValue=9.5
    ),
    attribute("weight", "Decimal", Precision=3, MinValue=0.0, MaxValue=10.0),
    attribute("since", "DateTime", Format="DateOnly", DateTimeBehavior={"Value": "DateOnly"}),
    attribute("until", "DateTime", Format="DateOnly", DateTimeBehavior={"Value": "UserLocal"}),
    attribute("seen", "DateTime", Format="DateAndTime", DateTimeBehavior={"Value": "UserLocal"}),
    attribute("cur", "Lookup"),
    attribute("ownerid", "Owner", RequiredLevel={"Value": "SystemRequired"}),
    attribute("secret", "String", IsValidForRead=False),
    attribute("curname", "String", AttributeOf="cur"),
    attribute("picture", "Virtual"),
    kept("modifiedon", "DateTime", Format="DateAndTime", DateTimeBehavior={"Value": "UserLocal"}),
    kept("modifiedby", "Lookup"),
    kept("versionnumber", "BigInt"),
]

RELATIONS = [
    {
        "ReferencingAttribute": "cur",
        "ReferencedEntity": "transactioncurrency",
        "ReferencingEntityNavigationPropertyName": "New_Cur",
    },
    {
        "ReferencingAttribute": "modifiedby",
        "ReferencedEntity": "systemuser",
        "ReferencingEntityNavigationPropertyName": "modifiedby",
    },
    *(
        {
            "ReferencingAttribute": "ownerid",
            "ReferencedEntity": target,
            "ReferencingEntityNavigationPropertyName": "ownerid",
        }
        for target in ("systemuser", "team")
    ),
]


def label(text: str) -> dict[str, Any]:
    return {"LocalizedLabels": [], "UserLocalizedLabel": {"Label": text, "LanguageCode": 1033}}


def script_metadata(
    service: Service,
    *,
    tracked: bool = True,
    relations: Sequence[dict[str, Any]] = RELATIONS,
    attributes: Sequence[dict[str, Any]] = ATTRIBUTES,
) -> None:
    """The table `points`, as EntityDefinitions describe it."""
    definition = {
        "LogicalName": "point",
        "EntitySetName": "points",
        "PrimaryIdAttribute": "pointid",
        "DisplayName": label("Point"),
        "ChangeTrackingEnabled": tracked,
    }
    targets = [
        {
            "LogicalName": "transactioncurrency",
            "EntitySetName": "transactioncurrencies",
            "PrimaryIdAttribute": "transactioncurrencyid",
        },
        {
            "LogicalName": "systemuser",
            "EntitySetName": "systemusers",
            "PrimaryIdAttribute": "systemuserid",
        },
    ]
    service.on("GET", "EntityDefinitions", body={"value": [definition]})
    service.on("GET", "EntityDefinitions", body={"value": targets})
    service.on("GET", "sdkmessagefilters", body={"value": [{"sdkmessagefilterid": "f"}]})
    path = "EntityDefinitions(LogicalName='point')/"
    service.on("GET", f"{path}Attributes", body={"value": attributes})
    options = {
        "Picklist": [
            {
                "LogicalName": "unit",
                "OptionSet": {
                    "Options": [
                        {"Value": 806380000, "Label": label("Day")},
                        {"Value": 806380001, "Label": label("Month")},
                    ]
                },
            }
        ],
        "Boolean": [
            {
                "LogicalName": "redeemable",
                "OptionSet": {
                    "TrueOption": {"Value": 1, "Label": label("Ja")},
                    "FalseOption": {"Value": 0, "Label": label("Nein")},
                },
            }
        ],
        "State": [],
        "Status": [],
    }
    for kind, found in options.items():
        cast = f"Microsoft.Dynamics.CRM.{kind}AttributeMetadata"
        service.on("GET", f"{path}Attributes/{cast}", body={"value": found})
    service.on("GET", f"{path}ManyToOneRelationships", body={"value": relations})
    keys = [
        {"SchemaName": "pk", "KeyAttributes": ["name"], "EntityKeyIndexStatus": "Active"},
        {"SchemaName": "k2", "KeyAttributes": ["unit", "rank"], "EntityKeyIndexStatus": "Pending"},
    ]
    service.on("GET", f"{path}Keys", body={"value": keys})


@pytest.fixture
def points(service: Service) -> Service:
    """The service with the table `points`."""
    script_metadata(service)
    return service


@pytest.fixture
def untracked(service: Service) -> Service:
    """The service with the table `points`, whose changes are not tracked."""
    script_metadata(service, tracked=False)
    return service


@pytest.fixture
def secured(service: Service) -> Service:
    """The service with the table `points`, whose column `secret` is under column security."""
    others = [one for one in ATTRIBUTES if one["LogicalName"] != "secret"]
    secret = attribute("secret", "String", IsSecured=True)
    script_metadata(service, attributes=[*others, secret])
    return service
