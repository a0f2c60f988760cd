"""`provision`: what the maps need in Dataverse is made."""
