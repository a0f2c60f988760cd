"""Dataverse Web API 9.2 behind the endpoint protocol."""

from connector.endpoints.dataverse.auth import TokenFile as TokenFile
from connector.endpoints.dataverse.auth import Tokens as Tokens
from connector.endpoints.dataverse.credentials import Application as Application
from connector.endpoints.dataverse.credentials import ManagedIdentity as ManagedIdentity
from connector.endpoints.dataverse.endpoint import DataverseEndpoint as DataverseEndpoint
from connector.endpoints.dataverse.transport import TokenSource as TokenSource
