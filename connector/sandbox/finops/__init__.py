"""A stand-in for Finance and Operations, beside the one for Dataverse in the same process."""
