"""The schema of the config tells what each key means."""

from __future__ import annotations

from typing import Any

from connector.config.schema import schema_of
from connector.config.values import Section
from connector.settings import Settings


def test_a_docstring_under_a_key_is_its_description() -> None:
    schema = schema_of(Settings)
    tables: dict[str, Any] = schema["$defs"]
    assert schema["properties"]["sides"]["description"].startswith("Further commerce sides by name")
    dataverse = tables["DataverseSettings"]["properties"]
    assert dataverse["users"]["description"].startswith("Further application users")
    assert "description" not in tables["StoreSettings"]["properties"]["url"], "it has none"


def test_keys_of_a_table_that_extends_another_are_told_as_well() -> None:
    tables = schema_of(Settings)["$defs"]
    inherited = tables["FinopsSettings"]["properties"]["client_id"]
    assert (
        inherited["description"]
        == tables["DataverseSettings"]["properties"]["client_id"]["description"]
    )


def test_starting_a_command_reads_no_source_files() -> None:
    """What pydantic would do to find the docstrings by itself, at each start."""
    assert not Settings.model_config.get("use_attribute_docstrings")
    assert not Section.model_config.get("use_attribute_docstrings")
