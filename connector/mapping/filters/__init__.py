"""Row filters: read, evaluated, and whether anything can pass them."""
