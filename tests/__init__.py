"""A package of its own, because an installed library brings another one called `tests`."""
