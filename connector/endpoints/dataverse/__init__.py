"""Dataverse Web API 9.2 behind the endpoint protocol."""

from connector.endpoints.dataverse.endpoint import DataverseEndpoint as DataverseEndpoint
