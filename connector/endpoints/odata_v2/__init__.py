"""Services of OData V2, such as integration objects of SAP Commerce, through pyodata."""

from connector.endpoints.odata_v2.endpoint import Finding as Finding
from connector.endpoints.odata_v2.endpoint import ODataV2Endpoint as ODataV2Endpoint
