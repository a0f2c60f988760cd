"""BulkDelete: what its queries find goes, and a job tells of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.conftest import DataverseSession

CARDS = "msdyn_loyaltycards"
CARD = "msdyn_loyaltycard"
CRM = "Microsoft.Dynamics.CRM."
AddCards = Callable[..., list[str]]


def expression(*conditions: tuple[str, str, list[Any]], word: str = "And") -> dict[str, Any]:
    return {
        "@odata.type": f"{CRM}QueryExpression",
        "EntityName": CARD,
        "ColumnSet": {"@odata.type": f"{CRM}ColumnSet", "AllColumns": False, "Columns": []},
        "Criteria": {
            "@odata.type": f"{CRM}FilterExpression",
            "FilterOperator": word,
            "Conditions": [
                {"AttributeName": name, "Operator": operator, "Values": values}
                for name, operator, values in conditions
            ],
        },
    }


def send(dataverse: DataverseSession, *queries: dict[str, Any], **changes: Any) -> Any:
    body = {
        "JobName": "Clean up",
        "SendEmailNotification": False,
        "ToRecipients": [],
        "CCRecipients": [],
        "RecurrencePattern": "",
        "StartDateTime": "2026-01-01T00:00:00Z",
        "QuerySet": list(queries),
        **changes,
    }
    return dataverse.post("BulkDelete", json={k: v for k, v in body.items() if v is not None})


def left(dataverse: DataverseSession) -> list[str]:
    rows = dataverse.get(f"{CARDS}?$select=msdyn_cardnumber").json()["value"]
    return sorted(row["msdyn_cardnumber"] for row in rows)


def test_by_ids_with_types_beside_the_values(
    dataverse: DataverseSession, add_cards: AddCards
) -> None:
    ids = add_cards(["C-1", "C-2", "C-3"])
    values = [{"Value": one, "Type": "System.Guid"} for one in ids[:2]]
    answer = send(dataverse, expression((f"{CARD}id", "In", values)))
    assert answer.status_code == 200
    body = answer.json()
    assert body["@odata.context"] == f"{dataverse.api}/$metadata#{CRM}BulkDeleteResponse"
    assert left(dataverse) == ["C-3"]
    job = dataverse.get(f"asyncoperations({body['JobId']})").json()
    assert (job["name"], job["statecode"], job["statuscode"]) == ("Clean up", 3, 30)
    where = f"$filter=_asyncoperationid_value eq {body['JobId']}"
    (counts,) = dataverse.get(f"bulkdeleteoperations?{where}").json()["value"]
    assert (counts["successcount"], counts["failurecount"]) == (2, 0)


@pytest.mark.parametrize(
    ("query", "kept"),
    [
        (expression(("msdyn_cardnumber", "Equal", ["c-1"])), ["C-2", "D-1"]),
        (expression(("msdyn_cardnumber", "BeginsWith", ["C-"])), ["D-1"]),
        (
            expression(("statecode", "Equal", [0]), ("msdyn_cardnumber", "NotEqual", ["D-1"])),
            ["D-1"],
        ),
        (
            expression(
                ("msdyn_cardnumber", "Equal", ["C-1"]),
                ("msdyn_cardnumber", "Equal", ["D-1"]),
                word="Or",
            ),
            ["C-2"],
        ),
        (expression(("msdyn_partynumber", "NotNull", [])), ["C-1", "C-2", "D-1"]),
        (expression(("createdon", "OlderThanXDays", [1])), ["C-1", "C-2", "D-1"]),
        (expression(), []),
        (
            {
                "@odata.type": f"#{CRM}FetchExpression",
                "Query": f"<fetch><entity name='{CARD}'><filter><condition operator='like' "
                "attribute='msdyn_cardnumber' value='%1' /></filter></entity></fetch>",
            },
            ["C-2"],
        ),
    ],
)
def test_queries(
    dataverse: DataverseSession, add_cards: AddCards, query: dict[str, Any], kept: list[str]
) -> None:
    add_cards(["C-1", "C-2", "D-1"])
    assert send(dataverse, query).status_code == 200
    assert left(dataverse) == kept


def test_filters_nest(dataverse: DataverseSession, add_cards: AddCards) -> None:
    add_cards(["C-1", "C-2", "D-1"])
    query = expression(("statecode", "Equal", [0]))
    inner = expression(
        ("msdyn_cardnumber", "Equal", ["C-1"]), ("msdyn_cardnumber", "Equal", ["D-1"]), word="Or"
    )
    query["Criteria"]["Filters"] = [inner["Criteria"]]
    send(dataverse, query)
    assert left(dataverse) == ["C-2"]


def test_a_row_that_stays_is_counted(dataverse: DataverseSession) -> None:
    """A currency that points refer to cannot go; another one can."""
    dataverse.post(
        "msdyn_loyaltyrewardpoints",
        json={
            "msdyn_rewardpointid": "A",
            "msdyn_RewardPointCurrency@odata.bind": "transactioncurrencies(isocurrencycode='EUR')",
        },
    )
    query = expression(("isocurrencycode", "In", ["EUR", "DKK"]))
    query["EntityName"] = "transactioncurrency"
    job = send(dataverse, query).json()["JobId"]
    where = f"$filter=_asyncoperationid_value eq {job}"
    (counts,) = dataverse.get(f"bulkdeleteoperations?{where}").json()["value"]
    assert (counts["successcount"], counts["failurecount"], counts["statuscode"]) == (1, 1, 31)
    assert dataverse.get(f"asyncoperations({job})").json()["message"]


def test_deleted_rows_are_in_the_delta(dataverse: DataverseSession, add_cards: AddCards) -> None:
    (record,) = add_cards(["C-1"])
    link = dataverse.get(CARDS, headers={"Prefer": "odata.track-changes"}).json()[
        "@odata.deltaLink"
    ]
    send(dataverse, expression(("msdyn_cardnumber", "Equal", ["C-1"])))
    (entry,) = dataverse.get(link).json()["value"]
    assert (entry["id"], entry["reason"]) == (record, "deleted")


@pytest.mark.parametrize(
    ("query", "changes", "status"),
    [
        ({}, {"JobName": None}, 400),
        ({}, {"QuerySet": {}}, 400),
        ({"@odata.type": f"{CRM}QueryByAttribute"}, {}, 400),
        ({"@odata.type": f"{CRM}QueryExpression", "EntityName": "nothing"}, {}, 400),
        (expression(("nothing", "Equal", ["x"])), {}, 400),
        (expression(("msdyn_cardnumber", "Near", ["x"])), {}, 501),
        ({**expression(), "LinkEntities": [{}]}, {}, 501),
        ({**expression(), "Criteria": []}, {}, 400),
    ],
)
def test_refusals(
    dataverse: DataverseSession,
    add_cards: AddCards,
    query: dict[str, Any],
    changes: dict[str, Any],
    status: int,
) -> None:
    add_cards(["C-1"])
    assert send(dataverse, query, **changes).status_code == status
    assert left(dataverse) == ["C-1"]
    assert dataverse.get("asyncoperations").json()["value"] == []
