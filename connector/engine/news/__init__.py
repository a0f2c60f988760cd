"""News of a side: what was captured becomes what is known of each record."""
