"""Rows on their way in: one at a time, many at once, and in jobs."""
