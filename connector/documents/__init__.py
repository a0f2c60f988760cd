"""Documents people write: YAML with places, and what is wrong with its form."""
