"""The platform's own tables around data: webhooks, roles, column security.

Owns: their definitions.
Never does: what a row in them causes (`webhooks/registrations.py`, `rights/privileges.py`).
Tested in: tests/integration/sandbox/test_webhooks.py, test_privileges.py.

Facts: "Dataverse: reference/entities/serviceendpoint", "sdkmessageprocessingstep", "role",
"fieldsecurityprofile", "fieldpermission"; only the columns a client of this service needs.
"""

from __future__ import annotations

from connector.sandbox.dataverse.definitions.tables import Column, Kind, table

NO_YES = {0: "No", 1: "Yes"}
CONTRACTS = {
    1: "OneWay",
    2: "Queue",
    3: "Rest",
    4: "TwoWay",
    5: "Topic",
    7: "Event Hub",
    8: "Webhook",
}
WEBHOOK_CONTRACT = 8
AUTH_TYPES = {4: "WebhookKey", 5: "HttpHeader", 6: "HttpQueryString"}
MESSAGE_FORMATS = {1: "Binary XML", 2: "Json", 3: "Text XML"}
STAGES = {10: "Pre-validation", 20: "Pre-operation", 40: "Post-operation"}
MODES = {0: "Synchronous", 1: "Asynchronous"}
DEPLOYMENTS = {0: "Server Only", 1: "Microsoft Dynamics 365 Client for Outlook Only", 2: "Both"}
PERMISSIONS = {0: "Not Allowed", 4: "Allowed"}


def _choice(name: str, label: str, options: dict[int, str]) -> Column:
    return Column(name, Kind.PICKLIST, label, options=options)


SERVICE_ENDPOINT = table(
    "ServiceEndpoint",
    "serviceendpoints",
    "Service Endpoint",
    "Service Endpoints",
    "name",
    [
        Column("Name", Kind.STRING, "Name", 160, required="SystemRequired"),
        Column("Description", Kind.STRING, "Description", 100),
        Column("Url", Kind.STRING, "Public URL", 512),
        Column("NamespaceAddress", Kind.STRING, "Full Namespace Address", 160),
        Column("Path", Kind.STRING, "Path", 160),
        _choice("Contract", "Contract", CONTRACTS),
        _choice("AuthType", "Auth Type", AUTH_TYPES),
        Column("AuthValue", Kind.STRING, "Auth Value", 2048, readable=False),
        Column(
            "IsAuthValueSet",
            Kind.BOOLEAN,
            "Is AuthValue Set",
            options=NO_YES,
            creatable=False,
            updatable=False,
        ),
        _choice("MessageFormat", "Message Format", MESSAGE_FORMATS),
        _choice("UserClaim", "User Claim", {1: "None", 2: "UserId", 3: "UserInfo"}),
    ],
    user_owned=False,
)

STEP = table(
    "SdkMessageProcessingStep",
    "sdkmessageprocessingsteps",
    "Sdk Message Processing Step",
    "Sdk Message Processing Steps",
    "name",
    [
        Column("Name", Kind.STRING, "Name", 256),
        Column("Description", Kind.STRING, "Description", 256),
        _choice("Stage", "Execution Stage", STAGES),
        _choice("Mode", "Execution Mode", MODES),
        Column("Rank", Kind.INTEGER, "Execution Order", minimum=0),
        _choice("SupportedDeployment", "Deployment", DEPLOYMENTS),
        Column("AsyncAutoDelete", Kind.BOOLEAN, "Asynchronous Automatic Delete", options=NO_YES),
        Column("FilteringAttributes", Kind.STRING, "Filtering Attributes", 100_000),
        Column("Configuration", Kind.STRING, "Configuration", 100_000),
        Column(
            "EventHandler",
            Kind.LOOKUP,
            "Event Handler",
            target="serviceendpoint",
            navigation_name="eventhandler_serviceendpoint",
        ),
        Column("SdkMessageId", Kind.LOOKUP, "SDK Message", target="sdkmessage"),
        Column("SdkMessageFilterId", Kind.LOOKUP, "SdkMessage Filter", target="sdkmessagefilter"),
    ],
    user_owned=False,
)

ROLE = table(
    "Role",
    "roles",
    "Security Role",
    "Security Roles",
    "name",
    [
        Column("Name", Kind.STRING, "Name", 100),
        Column("BusinessUnitId", Kind.LOOKUP, "Business Unit", target="businessunit"),
    ],
    user_owned=False,
    operations=(),
)

USER_ROLE = table(
    "SystemUserRoles",
    "systemuserrolescollection",
    "System User Role",
    "System User Roles",
    "systemuserrolesid",
    [
        Column("SystemUserId", Kind.GUID, "User"),
        Column("RoleId", Kind.GUID, "Role"),
    ],
    user_owned=False,
    operations=(),
)

FIELD_SECURITY_PROFILE = table(
    "FieldSecurityProfile",
    "fieldsecurityprofiles",
    "Column Security Profile",
    "Column Security Profiles",
    "name",
    [
        Column("Name", Kind.STRING, "Name", 100, required="SystemRequired"),
        Column("Description", Kind.STRING, "Description", 500),
    ],
    user_owned=False,
)

FIELD_PERMISSION = table(
    "FieldPermission",
    "fieldpermissions",
    "Field Permission",
    "Field Permissions",
    "attributelogicalname",
    [
        Column("EntityName", Kind.STRING, "Name of the entity", 64),
        Column("AttributeLogicalName", Kind.STRING, "Name of the attribute", 64),
        _choice("CanRead", "Can Read the attribute", PERMISSIONS),
        _choice("CanCreate", "Can create the attribute", PERMISSIONS),
        _choice("CanUpdate", "Can Update the attribute", PERMISSIONS),
        Column(
            "FieldSecurityProfileId",
            Kind.LOOKUP,
            "Profile",
            target="fieldsecurityprofile",
            required="SystemRequired",
        ),
    ],
    user_owned=False,
)

USER_PROFILE = table(
    "SystemUserProfiles",
    "systemuserprofilescollection",
    "System User Profile",
    "System User Profiles",
    "systemuserprofilesid",
    [
        Column("SystemUserId", Kind.GUID, "User"),
        Column("FieldSecurityProfileId", Kind.GUID, "Column Security Profile"),
    ],
    user_owned=False,
    operations=(),
)

PLATFORM_TABLES = (
    SERVICE_ENDPOINT,
    STEP,
    ROLE,
    USER_ROLE,
    FIELD_SECURITY_PROFILE,
    FIELD_PERMISSION,
    USER_PROFILE,
)
