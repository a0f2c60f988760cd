"""dualwrite: keeps loyalty cards and reward points equal in commerce and Dataverse."""

__version__ = "0.1.0"
