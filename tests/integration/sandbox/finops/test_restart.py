"""What survives a restart."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from connector.errors import UnreachableError
from connector.sandbox.run import running
from tests.conftest import FinopsSession, fetch_token
from tests.integration.sandbox.finops.conftest import CARDS


def session(ready: dict[str, Any]) -> FinopsSession:
    return FinopsSession(ready, fetch_token(ready, resource="finops"))


def test_a_new_one_has_master_data_only_and_what_is_added_survives(tmp_path: Path) -> None:
    export = "DataManagementDefinitionGroups/Microsoft.Dynamics.DataEntities.ExportToPackage"
    with running(tmp_path) as first, session(first) as finops:
        counts = {name: finops.get(f"{name}/$count").text for name in (CARDS, "CDSParties")}
        assert counts == {CARDS: "0", "CDSParties": "6"}
        finops.switch("projects", {"name": "p", "entities": [CARDS]})
        card = finops.post(CARDS, json={}).json()
        run = finops.post(export, json={"definitionGroupId": "p"}).json()["value"]
    with running(tmp_path) as second, session(second) as finops:
        again = finops.get(f"{CARDS}('{card['CardNumber']}')").json()
        assert again["@odata.etag"] == card["@odata.etag"]
        later = finops.post(CARDS, json={}).json()
        assert later["CardNumber"] == "LC000000002"
        assert later["@odata.etag"] != card["@odata.etag"]
        url = export.replace("ExportToPackage", "GetExportedPackageUrl")
        assert finops.post(url, json={"executionId": run}).status_code == 200


def test_a_taken_port_is_named_with_its_option(tmp_path: Path, sandbox: dict[str, Any]) -> None:
    port = int(sandbox["finops"].rpartition(":")[2])
    with pytest.raises(UnreachableError) as caught, running(tmp_path, finops_port=port):
        pass
    assert f"port-in-use: port {port}" in str(caught.value.cause)
    assert "--finops-port" in str(caught.value.cause)
