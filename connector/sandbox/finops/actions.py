"""The actions of the data management framework, as they are declared.

Owns: their names and the types of their parameters.
Never does: carrying one out (`data_management.py`).
Tested in: tests/integration/sandbox/finops/test_metadata.py.

Facts: "Finance and Operations: data-management-api".
"""

from __future__ import annotations

from collections.abc import Mapping

DEFINITION_GROUPS = "DataManagementDefinitionGroups"
_TEXT, _BOOLEAN = "Edm.String", "Edm.Boolean"
_EXECUTION = {"executionId": _TEXT}
_OF_ENTITY = {**_EXECUTION, "entityName": _TEXT}

ACTIONS: Mapping[str, dict[str, str]] = {
    "ExportToPackage": {
        "definitionGroupId": _TEXT,
        "packageName": _TEXT,
        "executionId": _TEXT,
        "reExecute": _BOOLEAN,
        "legalEntityId": _TEXT,
    },
    "GetExecutionSummaryStatus": _EXECUTION,
    "GetExportedPackageUrl": _EXECUTION,
    "GetExecutionErrors": _EXECUTION,
    "GetAzureWriteUrl": {"uniqueFileName": _TEXT},
    "ImportFromPackage": {
        "packageUrl": _TEXT,
        "definitionGroupId": _TEXT,
        "executionId": _TEXT,
        "execute": _BOOLEAN,
        "overwrite": _BOOLEAN,
        "legalEntityId": _TEXT,
    },
    "GetImportStagingErrorFileUrl": _OF_ENTITY,
    "GenerateImportTargetErrorKeysFile": _OF_ENTITY,
    "GetImportTargetErrorKeysFileUrl": _OF_ENTITY,
    "GetMessageStatus": {"messageId": _TEXT},
}
