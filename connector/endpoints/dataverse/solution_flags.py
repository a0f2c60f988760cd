"""Settings of a table and a column that are the same for all we make.

Owns: the fixed elements of `customizations.xml`, in the order exported solutions have them.
Never does: anything at run time.
Tested in: tests/unit/endpoints/dataverse/test_solution.py.

An import takes a missing one for its default where it has one; not every one has.
"""

from __future__ import annotations

from collections.abc import Mapping

TABLE_FLAGS: Mapping[str, str] = {
    "IsDuplicateCheckSupported": "1",
    "IsBusinessProcessEnabled": "0",
    "IsRequiredOffline": "0",
    "IsInteractionCentricEnabled": "0",
    "IsCollaboration": "0",
    "AutoRouteToOwnerQueue": "0",
    "IsConnectionsEnabled": "0",
    "IsDocumentManagementEnabled": "0",
    "AutoCreateAccessTeams": "0",
    "IsOneNoteIntegrationEnabled": "0",
    "IsKnowledgeManagementEnabled": "0",
    "IsSLAEnabled": "0",
    "IsBPFEntity": "0",
    "OwnershipTypeMask": "UserOwned",
    "IsAuditEnabled": "0",
    "IsActivity": "0",
    "ActivityTypeMask": "",
    "IsActivityParty": "0",
    "IsReplicated": "0",
    "IsReplicationUserFiltered": "0",
    "IsMailMergeEnabled": "0",
    "IsVisibleInMobile": "0",
    "IsVisibleInMobileClient": "0",
    "IsReadOnlyInMobileClient": "0",
    "IsOfflineInMobileClient": "0",
    "IsMapiGridEnabled": "1",
    "IsReadingPaneEnabled": "1",
    "IsQuickCreateEnabled": "0",
    "SyncToExternalSearchIndex": "0",
    "IntroducedVersion": "1.0.0.0",
    "IsCustomizable": "1",
    "IsRenameable": "1",
    "IsMappable": "1",
    "CanModifyAuditSettings": "1",
    "CanModifyMobileVisibility": "1",
    "CanModifyMobileClientVisibility": "1",
    "CanModifyMobileClientReadOnly": "1",
    "CanModifyMobileClientOffline": "1",
    "CanModifyConnectionSettings": "1",
    "CanModifyDuplicateDetectionSettings": "1",
    "CanModifyMailMergeSettings": "1",
    "CanModifyQueueSettings": "1",
    "CanCreateAttributes": "1",
    "CanCreateForms": "1",
    "CanCreateCharts": "1",
    "CanCreateViews": "1",
    "CanModifyAdditionalSettings": "1",
    "CanEnableSyncToExternalSearchIndex": "1",
    "EnforceStateTransitions": "0",
    "CanChangeHierarchicalRelationship": "1",
    "EntityHelpUrlEnabled": "0",
}
"""Of a new table, between its set name and its change tracking."""

COLUMN_FLAGS: Mapping[str, str] = {
    "ImeMode": "auto",
    "ValidForUpdateApi": "1",
    "ValidForReadApi": "1",
    "ValidForCreateApi": "1",
    "IsCustomField": "1",
    "IsAuditEnabled": "1",
    "IsSecured": "0",
    "IntroducedVersion": "1.0.0.0",
    "IsCustomizable": "1",
    "IsRenameable": "1",
    "CanModifySearchSettings": "1",
    "CanModifyRequirementLevelSettings": "1",
    "CanModifyAdditionalSettings": "1",
    "SourceType": "0",
    "IsGlobalFilterEnabled": "0",
    "IsSortableEnabled": "0",
    "CanModifyGlobalFilterSettings": "1",
    "CanModifyIsSortableSettings": "1",
    "IsDataSourceSecret": "0",
    "AutoNumberFormat": "",
    "IsSearchable": "0",
    "IsFilterable": "0",
    "IsRetrievable": "0",
    "IsLocalizable": "0",
}
"""Of a column, between its names and its facets."""
