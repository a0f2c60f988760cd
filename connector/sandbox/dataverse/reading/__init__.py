"""Rows on their way out: queries in every language the service takes, and their pages."""
