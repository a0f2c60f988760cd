"""What the tests of this stand-in share: rows, packages, batches."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest
import requests

if TYPE_CHECKING:
    from tests.conftest import FinopsSession

CARDS = "RetailLoyaltyCards"
POINTS = "RetailLoyaltyRewardPoints"
GROUPS = "CustomerGroups"

Add: TypeAlias = Callable[..., list[dict[str, Any]]]
Act: TypeAlias = Callable[..., Any]


@pytest.fixture
def add(finops: FinopsSession) -> Add:
    """Creates cards from numbers; what the service answered."""

    def create(*numbers: str, **columns: Any) -> list[dict[str, Any]]:
        answers = [finops.post(CARDS, json={"CardNumber": one, **columns}) for one in numbers]
        assert [one.status_code for one in answers] == [201] * len(numbers), answers[-1].text
        return [one.json() for one in answers]

    return create


@pytest.fixture
def act(finops: FinopsSession) -> Act:
    """Calls an action of the data management framework; its value."""

    def call(name: str, **body: Any) -> Any:
        answer = finops.post(
            f"DataManagementDefinitionGroups/Microsoft.Dynamics.DataEntities.{name}", json=body
        )
        assert answer.status_code == 200, answer.text
        return answer.json()["value"]

    return call


@pytest.fixture(scope="session")
def anonymous(sandbox: dict[str, Any]) -> Iterator[requests.Session]:
    """Somebody without a token."""
    with requests.Session() as session:
        session.trust_env = False
        session.verify = sandbox["ca"]
        yield session


@pytest.fixture
def export(act: Act, anonymous: requests.Session) -> Callable[[], dict[str, str]]:
    """Runs the project `loyalty`; the files of its package as text, by name."""

    def run() -> dict[str, str]:
        execution = act("ExportToPackage", definitionGroupId="loyalty", packageName="p")
        assert act("GetExecutionSummaryStatus", executionId=execution) == "Succeeded"
        address = act("GetExportedPackageUrl", executionId=execution)
        content = anonymous.get(address, timeout=10).content
        with zipfile.ZipFile(io.BytesIO(content)) as package:
            return {name: _decoded(package.read(name)) for name in package.namelist()}

    return run


def _decoded(content: bytes) -> str:
    wide = content.startswith(b"\xff\xfe")
    return content.decode("utf-16" if wide else "utf-8-sig")
