"""Page links: the XML cookie inside `$skiptoken`.

Owns: writing and reading the cookie, and the absolute links that carry it.
Never does: running the query that continues from it.
Tested in: tests/integration/sandbox/test_paging.py.

Facts: "Dataverse Web API: webapi/query/page-results". The cookie names the first and last row
of the page it follows, so it differs on every page; clients follow the link untouched.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, unquote

from connector.sandbox.dataverse.errors import WireError, bad_request
from connector.sandbox.dataverse.reading.options import without_tokens

MAX_PAGE = 5000

_OUTER = re.compile(r'<cookie pagenumber="(\d+)" pagingcookie="([^"]*)" istracking="(True|False)"')
_ATTRIBUTE = re.compile(r'(\w+)="([^"]*)"')


@dataclass(frozen=True, slots=True)
class Cookie:
    """Where the next page starts. `page` is the number of that page, from 2 on.

    A plain read continues behind row `last`, an ordered one after `offset` rows. A tracked
    read also carries the delta `token` it will end with and the last row `version` it gave;
    `deleted` says that it has come to the deletions.
    """

    page: int
    first: str = ""
    last: str = ""
    offset: int = 0
    tracking: bool = False
    token: str = ""
    version: int = 0
    deleted: bool = False

    def text(self, id_column: str) -> str:
        """The decoded `$skiptoken`."""
        state = f'page="{self.page - 1}" offset="{self.offset}"'
        if self.tracking:
            state += f' token="{self.token}" version="{self.version}" deleted="{self.deleted}"'
        row = f'<{id_column} last="{{{self.last.upper()}}}" first="{{{self.first.upper()}}}" />'
        inner = quote(quote(f"<cookie {state}>{row}</cookie>", safe=""), safe="")
        return (
            f'<cookie pagenumber="{self.page}" pagingcookie="{inner}" '
            f'istracking="{self.tracking}" />'
        )


def parse_cookie(text: str) -> Cookie:
    """Raises `WireError` for anything the service did not write itself."""
    outer = _OUTER.match(text)
    if outer is None:
        raise _malformed()
    state = dict(_ATTRIBUTE.findall(unquote(unquote(outer[2]))))
    try:
        return Cookie(
            page=int(outer[1]),
            first=state["first"].strip("{}").lower(),
            last=state["last"].strip("{}").lower(),
            offset=int(state["offset"]),
            tracking=outer[3] == "True",
            token=state.get("token", ""),
            version=int(state.get("version", "0")),
            deleted=state.get("deleted") == "True",
        )
    except (KeyError, ValueError) as error:
        raise _malformed() from error


def fetch_cookie(page: int, first: str, last: str, id_column: str) -> str:
    """The annotation a client takes `pagingcookie` from, decodes it twice, and sends it back."""
    row = f'<{id_column} last="{{{last.upper()}}}" first="{{{first.upper()}}}" />'
    inner = quote(quote(f'<cookie page="{page}">{row}</cookie>', safe=""), safe="")
    return f'<cookie pagenumber="{page + 1}" pagingcookie="{inner}" istracking="False" />'


def parse_fetch_cookie(text: str, id_column: str) -> str:
    """The id of the last row before the page, from a `paging-cookie`. Raises `WireError`."""
    match = re.fullmatch(
        rf'<cookie page="\d+"><{id_column} last="{{([^"]*)}}" first="[^"]*" /></cookie>', text
    )
    if match is None:
        raise _malformed()
    return match[1].lower()


def _malformed() -> WireError:
    return bad_request("Malformed XML in the Paging Cookie", "0x80041129")


def link(base: str, path: str, query: str, tokens: Mapping[str, str]) -> str:
    """The same request, absolute, with these tokens (`$skiptoken`, `$deltatoken`) instead."""
    pairs = [without_tokens(query)]
    pairs += (f"{name}={quote(token, safe='')}" for name, token in tokens.items())
    return f"{base}/{path}?{'&'.join(filter(None, pairs))}"
