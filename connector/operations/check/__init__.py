"""`check`: problems found before they happen."""
