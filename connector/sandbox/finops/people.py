"""Who may come in: the applications that an administrator has mapped to users.

Owns: client ids, the user each stands for, its default company, the companies it may see.
Never does: secrets and tokens (`connector.sandbox.identity.tokens`).
Tested in: tests/integration/sandbox/finops/test_door.py, test_companies.py.

Facts: "Finance and Operations: services-home-page": an application without a row in Microsoft
Entra ID applications is nobody here, whatever its token says.
"""

from __future__ import annotations

from dataclasses import dataclass

from connector.sandbox.identity.people import CLIENTS, MEMBERS

COMPANIES = {"dat": "Company accounts data", "usrt": "Contoso Retail USA", "usmf": "Contoso USA"}
DEFAULT_COMPANY = "usrt"
ROLELESS = "roleless"


@dataclass(frozen=True, slots=True)
class User:
    """One user. `rights` is false for a user without any role."""

    name: str
    client_id: str
    company: str = DEFAULT_COMPANY
    companies: tuple[str, ...] = tuple(COMPANIES)
    rights: bool = True


class People:
    """The mapping of applications to users, which a switch can change."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """As at the start: every member of the sandbox is mapped, the outsider is not."""
        self._users = {
            one.client_id: User(one.name, one.client_id, rights=one.short != ROLELESS)
            for one in MEMBERS
        }

    def of(self, client_id: str) -> User | None:
        """The user of an application, None if it is not mapped."""
        return self._users.get(client_id)

    def map(
        self,
        short: str,
        *,
        mapped: bool = True,
        company: str = DEFAULT_COMPANY,
        companies: tuple[str, ...] = tuple(COMPANIES),
    ) -> None:
        """Map an application, by its short name, anew or no more.

        Raises `KeyError` for an application or company there is not.
        """
        client_id = CLIENTS[short]
        for one in (company, *companies):
            COMPANIES[one]
        if mapped:
            self._users[client_id] = User(short, client_id, company, tuple(companies))
        else:
            self._users.pop(client_id, None)
