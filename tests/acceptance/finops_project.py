"""A project whose commerce side is Finance and Operations, and the people who work there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.acceptance.conftest import Project, make_project
from tests.conftest import FinopsSession, fetch_token

if TYPE_CHECKING:
    from tests.conftest import SignIn

SET = "RetailLoyaltyCards"
OPERATIONS = 1000
"""Creates in one request of a test."""


@dataclass
class Shop:
    """The commerce side: a clerk's session, and what it is used for here."""

    clerk: FinopsSession

    def put(self, rows: Iterable[Mapping[str, object]]) -> None:
        """A clerk enters cards, one after the other."""
        for row in rows:
            answer = self.clerk.post(SET, json=row)
            assert answer.status_code == 201, answer.text

    def edit(self, number: str, **values: object) -> None:
        """A clerk changes a card."""
        answer = self.clerk.patch(f"{SET}('{number}')", json=values, headers={"If-Match": "*"})
        assert answer.status_code == 204, answer.text

    def remove(self, number: str) -> None:
        """A clerk deletes a card."""
        answer = self.clerk.delete(f"{SET}('{number}')")
        assert answer.status_code == 204, answer.text

    def cards(self) -> dict[str, dict[str, Any]]:
        """All cards by number; no number twice."""
        rows: list[dict[str, Any]] = []
        url: str | None = f"{SET}?cross-company=true"
        while url is not None:
            answer = self.clerk.get(url).json()
            rows += answer["value"]
            url = answer.get("@odata.nextLink")
        by_number = {row["CardNumber"]: row for row in rows}
        assert len(by_number) == len(rows)
        return by_number


def finops_project(
    folder: Path, where: Mapping[str, Any], sign_in: SignIn, **keys: str
) -> tuple[Project, Shop]:
    """A project in `folder` between both stand-ins; `keys` are more keys of `[commerce]`."""
    project = make_project(folder, where, sign_in)
    given = {
        "KIND": "finops",
        "URL": str(where["finops"]),
        "AUTHORITY": str(where["authority"]),
        "CLIENT_ID": str(where["client_id"]),
        "CLIENT_SECRET": "env:TEST_CLIENT_SECRET",
        "CA": str(where["ca"]),
        **keys,
    }
    project.environment.update({f"DUALWRITE__COMMERCE__{key}": one for key, one in given.items()})
    token = fetch_token(dict(where), "agent_", resource="finops")
    return project, Shop(FinopsSession(dict(where), token))
