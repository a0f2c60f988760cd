"""A Dynamicweb shop's database as a commerce side."""

from connector.endpoints.dynamicweb.endpoint import DynamicwebEndpoint as DynamicwebEndpoint
