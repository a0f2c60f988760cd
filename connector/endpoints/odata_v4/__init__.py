"""Any service of OData V4 behind the endpoint protocol."""

from connector.endpoints.odata_v4.endpoint import ODataV4Endpoint as ODataV4Endpoint
