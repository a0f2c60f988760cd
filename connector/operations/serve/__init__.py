"""`serve`: maps worked as soon as there is something to do."""
