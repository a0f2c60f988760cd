"""A scripted Dataverse: answers written by hand, requests kept for inspection."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
import responses
from requests import PreparedRequest

from connector.endpoints.dataverse import DataverseEndpoint
from connector.endpoints.dataverse.patience import Patience

HOST = "https://org.example"
API = f"{HOST}/api/data/v9.2/"
Answer = tuple[int, Mapping[str, str], Any]


class Service:
    """Answers by method and URL, in the order they were scripted; the last one stays.

    An answer scripted with a query is for that link alone, one without for any query.
    """

    def __init__(self, mock: responses.RequestsMock) -> None:
        self.mock = mock
        self.slept: list[float] = []
        self.seconds = 0.0
        self.patience = Patience(
            4, sleep=self.sleep, random=lambda: 1.0, monotonic=lambda: self.seconds
        )
        self.tokens_rejected: list[str] = []
        self.now = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
        self.step = timedelta(0)
        self._answers: dict[tuple[str, str], list[Answer]] = {}
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
            mock.add_callback(method, re.compile(".*"), self._answer)

    def on(
        self,
        method: str,
        path: str,
        status: int = 200,
        body: Any = None,
        *,
        headers: Mapping[str, str] | None = None,
        content_type: str = "application/json; odata.metadata=minimal",
    ) -> None:
        """Script one answer; `path` within the API, or an absolute link."""
        ready = body is None or isinstance(body, str | bytes | Exception)
        answer = (status, {"Content-Type": content_type, **(headers or {})}, body or "")
        if not ready:
            answer = (*answer[:2], json.dumps(body))
        url = path if "://" in path else API + path
        self._answers.setdefault((method, unquote(url)), []).append(answer)

    def forget(self, method: str, url: str) -> None:
        """Drop what was scripted for this link."""
        del self._answers[method, unquote(url)]

    def _answer(self, request: PreparedRequest) -> Answer:
        link = unquote(request.url or "")
        for url in (link, link.partition("?")[0]):
            waiting = self._answers.get((request.method or "", url))
            if waiting:
                return waiting.pop(0) if len(waiting) > 1 else waiting[0]
        raise AssertionError(f"not scripted: {request.method} {request.url}")

    def error(self, method: str, path: str, status: int, code: str, message: str = "x") -> None:
        self.on(method, path, status, {"error": {"code": code, "message": message}})

    def calls(self, method: str, part: str) -> list[PreparedRequest]:
        """Requests so far whose URL contains `part`."""
        made = (call.request for call in self.mock.calls)
        return [one for one in made if one.method == method and part in (one.url or "")]

    # ports of the endpoint

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.seconds += seconds

    def clock(self) -> datetime:
        self.now += self.step
        return self.now

    def token(self, rejected: str | None = None) -> str:
        if rejected is not None:
            self.tokens_rejected.append(rejected)
        return f"token-{len(self.tokens_rejected)}"


def query(request: PreparedRequest) -> dict[str, str]:
    """The decoded query options."""
    return dict(parse_qsl(urlsplit(request.url or "").query))


@pytest.fixture
def query_of() -> Callable[[PreparedRequest], dict[str, str]]:
    return query


@pytest.fixture
def service() -> Iterator[Service]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield Service(mock)


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
