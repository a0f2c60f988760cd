"""What survives a restart."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from connector.errors import UnreachableError
from connector.sandbox.run import running
from tests.conftest import FinopsSession, fetch_token
from tests.integration.sandbox.finops.conftest import CARDS


def session(ready: dict[str, Any]) -> FinopsSession:
    return FinopsSession(ready, fetch_token(ready, resource="finops"))


def test_rows_numbers_projects_and_runs_survive(tmp_path: Path) -> None:
    export = "DataManagementDefinitionGroups/Microsoft.Dynamics.DataEntities.ExportToPackage"
    with running(tmp_path) as first, session(first) as finops:
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


def test_a_new_one_has_master_data_and_no_cards(tmp_path: Path) -> None:
    with running(tmp_path) as ready, session(ready) as finops:
        assert finops.get("Currencies/$count").text != "0"
        assert finops.get(f"{CARDS}/$count").text == "0"


def test_a_taken_port_is_named_with_its_option(tmp_path: Path) -> None:
    with running(tmp_path / "a") as ready:
        port = int(ready["finops"].rpartition(":")[2])
        with (
            pytest.raises(UnreachableError) as caught,
            running(tmp_path / "b", finops_port=port),
        ):
            pass
    assert f"port-in-use: port {port}" in str(caught.value.cause)
    assert "--finops-port" in str(caught.value.cause)


def test_the_command_line_puts_samples_into_a_new_one(tmp_path: Path) -> None:
    program = str(Path(sys.executable).with_name("dualwrite"))
    command = [program, "sandbox", "--port", "0", "--json"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            ready = json.loads(process.stdout.readline())
            with session(ready) as finops:
                assert finops.get(f"{CARDS}/$count").text == "12"
        finally:
            process.terminate()
