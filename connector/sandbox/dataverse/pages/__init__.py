"""A small CRM in the browser."""
