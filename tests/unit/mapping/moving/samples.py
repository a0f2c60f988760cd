"""Both loyalty maps as dual-write tells them, in every form that is read."""

from __future__ import annotations

import json
from typing import Any, NamedTuple


class Row(NamedTuple):
    source: str
    symbol: str
    destination: str
    values: dict[str, str] = {}  # noqa: RUF012  never changed
    key: bool = False
    related: str | None = None


UNITS = {"day": "806380000", "month": "806380001", "year": "806380002"}

CARDS = (
    Row("CARDNUMBER", "=", "msdyn_cardnumber", key=True),
    Row(
        "CARDTENDERTYPE",
        "><",
        "msdyn_cardtendertype",
        {
            "asCardTender": "806380000",
            "asContactTender": "806380001",
            "noTender": "806380002",
            "blocked": "806380003",
        },
    ),
    Row("PARTYNUMBER", "=", "msdyn_partynumber"),
    Row("REPLACEMENTCARDNUMBER", ">", "msdyn_replacementcardnumber"),
    Row("OMOPERATINGUNITNUMBER", "=", "msdyn_operatingunitnumber"),
    Row("LOYALTYENROLLMENTDATE", "=", "msdyn_enrollmentdate"),
    Row("LOYALTYENROLLMENTDATELOCAL", "=", "msdyn_effectivedate"),
)

POINTS = (
    Row("EXPIRATIONTIMEUNIT", "><", "msdyn_expirationtimeunit", UNITS),
    Row("EXPIRATIONTIMEVALUE", "=", "msdyn_expirationtimevalue"),
    Row("REDEEMABLE", "><", "msdyn_redeemable", {"yes": "True", "no": "False"}),
    Row("REDEEMRANKING", "=", "msdyn_redeemranking"),
    Row(
        "REWARDPOINTCURRENCY",
        "=",
        "msdyn_rewardpointcurrency.isocurrencycode",
        related="transactioncurrencies",
    ),
    Row("REWARDPOINTID", "=", "msdyn_rewardpointid", key=True),
    Row(
        "REWARDPOINTTYPE",
        "><",
        "msdyn_rewardpointtype",
        {"quantity": "192350000", "amount": "192350001"},
    ),
    Row("MAXIMUMLOYALTYREWARDPOINTS", "=", "msdyn_maximumloyaltyrewardpoints"),
    Row("VESTINGTIMEUNIT", "><", "msdyn_vestingtimeunit", UNITS),
    Row("VESTINGTIMEVALUE", "=", "msdyn_vestingtimevalue"),
)

MAPS = {
    "loyalty-card": ("Loyalty card", "msdyn_loyaltycards", CARDS),
    "loyalty-reward-points": ("Loyalty reward points", "msdyn_loyaltyrewardpoints", POINTS),
}
NUMBERS = {"=": 3, ">": 1, "<": 2}
WORDS = {"=": "Bidirectional", ">": "Forward", "<": "Backward"}


def mapping(row: Row, direction: object) -> dict[str, Any]:
    """One field mapping of the JSON."""
    made: dict[str, Any] = {
        "syncDirection": direction,
        "sourceField": row.source,
        "destinationField": row.destination,
        "isSystemGenerated": row.key,
        "destinationLookupFieldRelatedEntity": row.related,
    }
    if row.values:
        made["valueTransforms"] = [
            {
                "$type": "Microsoft.Dynamics.Integrator.ValueMap",
                "transformType": "ValueMap",
                "valueMap": row.values,
                "defaultValue": None,
                "createValuesOnDestination": False,
            }
        ]
    return made


def map_json(name: str, form: str = "text") -> dict[str, Any]:
    """A map's JSON; the form says how directions are written."""
    title, table, rows = MAPS[name]

    def direction(row: Row) -> object:
        way = row.symbol[0] if row.symbol != "><" else "="
        if form == "word":
            return WORDS[way]
        return NUMBERS[way] if form == "number" else str(NUMBERS[way])

    return {
        "name": f"[{title}] - [{table}]",
        "leftEnvironmentType": "AX",
        "centerEnvironmentType": "CRM",
        "rightEnvironmentType": "UNDEFINED",
        "legs": [
            {
                "id": "001",
                "sourceSchema": title,
                "sourceEnvironmentType": "AX",
                "sourceFilter": "",
                "isSourceFilterEditable": True,
                "destinationSchema": table,
                "destinationEnvironmentType": "CRM",
                "reversedSourceFilter": "",
                "fieldMappings": [mapping(row, direction(row)) for row in rows],
            }
        ],
    }


def table_row(name: str, version: str = "1.0.0.0", **more: object) -> dict[str, Any]:
    """A row of `msdyn_dualwriteentitymap`."""
    return {
        "msdyn_name": f"[{MAPS[name][0]} - {MAPS[name][1]}]",
        "msdyn_version": version,
        "msdyn_mapping": json.dumps(map_json(name)),
        "msdyn_properties": "{}",
        **more,
    }


def runtime_json(name: str) -> dict[str, Any]:
    """A runtime configuration of Dataverse: it is the source, environments are numbers."""
    title, table, rows = MAPS[name]
    turned = {"=": 3, "><": 3, ">": 2, "<": 1}
    mappings = []
    for row in rows:
        one = mapping(row, turned[row.symbol])
        one["sourceField"], one["destinationField"] = row.destination, row.source
        for transform in one.get("valueTransforms", []):
            transform["valueMap"] = {right: left for left, right in row.values.items()}
        mappings.append({key[0].upper() + key[1:]: value for key, value in one.items()})
    return {
        "ProjectId": "be881e8c-9b73-4583-b13b-7dd3bff2e399",
        "SourceEntityName": table,
        "SourceEnvironmentType": 1,
        "DestinationEntityName": title,
        "DestinationEnvironmentType": 3,
        "EntityMapVersion": {"Major": 1, "Minor": 0, "Build": 0, "Revision": 0},
        "FieldMappings": mappings,
    }


def newer_page(*names: str) -> str:
    """The tables as the page of all maps prints them."""
    parts = ["---\nauthor: somebody\n---\n"]
    for number, name in enumerate(names, 149):
        title, table, rows = MAPS[name]
        parts.append(f'###  <a name="{number}"></a>{title} ({table})\n')
        parts.append("This template synchronizes data.\n")
        parts.append(
            "Finance and operations field | Map type | Customer engagement column | Default value"
        )
        parts.append("---|---|---|---")
        for row in rows:
            pairs = "".join(f"<br>`{left}` : `{right}`" for left, right in row.values.items())
            parts.append(f"{row.source} | {row.symbol}{pairs} | {row.destination} |")
        parts.append("")
    return "\n".join(parts)


def prose_page(name: str) -> str:
    """A numbered table with its value maps in prose, and symbols as code."""
    title, table, rows = MAPS[name]
    parts = [f'## 2. Map "{title}" <-> `{table}` (anchor #149)\n']
    parts += [
        "| # | F&O field | Map type | Dataverse column | Value map |",
        "|---|---|---|---|---|",
    ]
    for number, row in enumerate(rows, 1):
        pairs = ", ".join(f"{left}={right}" for left, right in row.values.items()) or "-"
        parts.append(f"| {number} | {row.source} | `{row.symbol}` | {row.destination} | {pairs} |")
    return "\n".join(parts)


def older_page(name: str) -> str:
    """A page of its own, with escapes, and without value maps."""
    title, table, rows = MAPS[name]
    parts = [f"## {title} to {table}\n", "Source field | Map type | Destination field"]
    parts.append("---|---|---")
    for row in rows:
        symbol = row.symbol.replace(">", "\\>").replace("<", "\\<")
        destination = row.destination.replace("_", "\\_")
        parts.append(f"{row.source} | {symbol} | {destination}")
    return "\n".join(parts)
