"""The tables of a loyalty programme on the V2 stand-in, one column of every type among them."""

from __future__ import annotations

from tests.integration.odata_v2.model import Property, Type
from tests.integration.odata_v2.service import Service

_DAY = 'sap:display-format="Date"'


def cards(*, etags: bool = True) -> Type:
    """Cards by number, with columns of every type."""
    fixed = 'ConcurrencyMode="Fixed"' if etags else ""
    return Type(
        "Cards",
        ("CardNumber",),
        {
            "CardNumber": Property("Edm.String", nullable=False, length=30),
            "Note": Property("Edm.String", length=200),
            "Enrolled": Property("Edm.DateTime", facets=_DAY),
            "Tender": Property("Edm.String", length=20),
            "Balance": Property("Edm.Decimal", facets='Precision="19" Scale="4"'),
            "Points": Property("Edm.Int64"),
            "Level": Property("Edm.Byte"),
            "Visits": Property("Edm.Int32"),
            "Ratio": Property("Edm.Double"),
            "Active": Property("Edm.Boolean"),
            "Owner": Property("Edm.Guid"),
            "Seen": Property("Edm.DateTime"),
            "At": Property("Edm.Time"),
            "Changed": Property("Edm.DateTimeOffset", facets=fixed),
        },
        etags=etags,
        stamp="Changed",
    )


def point_kinds(*, etags: bool = True) -> Type:
    """Kinds of points, by a key of two parts."""
    return Type(
        "PointKinds",
        ("Program", "Number"),
        {
            "Program": Property("Edm.String", nullable=False, length=10),
            "Number": Property("Edm.Int64", nullable=False),
            "Name": Property("Edm.String", length=60),
        },
        etags=etags,
    )


def loyalty_types(*, etags: bool = True) -> list[Type]:
    """Both tables, empty."""
    return [cards(etags=etags), point_kinds(etags=etags)]


def loyalty_service(*, etags: bool = True) -> Service:
    """A service with both of them."""
    return Service(loyalty_types(etags=etags))
