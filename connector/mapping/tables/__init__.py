"""The Dataverse tables maps need, and the steps that make them."""
