"""The enumerations of the public entities.

Owns: symbols and integers.
Never does: anything at run time.
Tested in: tests/integration/sandbox/finops/test_metadata.py.

Facts: the mapping reference (a client generated from a real `$metadata`). Most begin at 0,
RetailLoyaltyRewardPointType at 1.
"""

from __future__ import annotations

from connector.sandbox.finops.entities import EnumType


def _counted(name: str, symbols: str, first: int = 0) -> EnumType:
    return EnumType(name, {one: number for number, one in enumerate(symbols.split(), first)})


MONTHS = "January February March April May June July August September October November December"

NO_YES = _counted("NoYes", "No Yes")
TENDER_TYPE = _counted(
    "RetailLoyaltyTenderTypeBase", "AsCardTender AsContactTender NoTender Blocked"
)
TIME_UNIT = _counted("RetailDayMonthYear", "Day Month Year")
POINT_TYPE = _counted("RetailLoyaltyRewardPointType", "Quantity Amount", 1)
PARTY_TYPE = _counted("DirPartyBaseType", "None Person Organization LegalEntity Team OperatingUnit")
ABC = _counted("smmABC", "None A B C")
GENDER = _counted("Gender", "Unknown Male Female NonSpecific")
MARITAL_STATUS = _counted("DirPersonMaritalStatus", "None Married Single Widowhood Divorced")
MONTH = _counted("MonthsOfYear", f"None {MONTHS}")
UNIT_TYPE = _counted(
    "OMOperatingUnitType",
    "None OMDepartment OMCostCenter OMValueStream OMBusinessUnit OMAnyOU RetailChannel",
)
ON_HOLD = _counted("CustVendorBlocked", "No Invoice All Payment Requisition Never")
STATUS = _counted(
    "DMFExecutionSummaryStatus",
    "Unknown NotRun Executing Succeeded PartiallySucceeded Failed Canceled",
)

ENUMS = (
    NO_YES,
    TENDER_TYPE,
    TIME_UNIT,
    POINT_TYPE,
    PARTY_TYPE,
    ABC,
    GENDER,
    MARITAL_STATUS,
    MONTH,
    UNIT_TYPE,
    ON_HOLD,
    STATUS,
)
