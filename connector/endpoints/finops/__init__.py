"""Dynamics 365 Finance and Operations over OData V4."""
