"""A run over one map: its lease, its beginning, its pace, its end."""
