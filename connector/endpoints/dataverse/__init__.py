"""Dataverse Web API 9.2 behind the endpoint protocol."""

from connector.endpoints.dataverse.auth import ClientSecretTokens as ClientSecretTokens
from connector.endpoints.dataverse.endpoint import DataverseEndpoint as DataverseEndpoint
from connector.endpoints.dataverse.transport import TokenSource as TokenSource
