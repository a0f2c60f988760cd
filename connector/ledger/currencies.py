"""Currencies as ISO 4217 has them.

Owns: the codes of money people pay with, and how many decimals it has.
Never does: knowing which of them a ledger lists (`schema.REFERENCES`); converting.
Tested in: tests/unit/ledger/test_currencies.py.
"""

from __future__ import annotations

_DECIMALS = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF",
    2: "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN BZD "
    "CAD CDF CHF CNY COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD "
    "GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD "
    "MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP "
    "PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS "
    "TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG",
    3: "BHD IQD JOD KWD LYD OMR TND",
}
_OF = {code: decimals for decimals, codes in _DECIMALS.items() for code in codes.split()}

CODES = frozenset(_OF)
"""In capitals; not those for funds, metals and tests, in which nothing is sold."""


def decimals(currency: str | None) -> int:
    """Decimals of a currency, two where it is not known to have others."""
    return _OF.get(currency or "", 2)
