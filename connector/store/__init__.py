"""Durable sync state. `base.py` holds the protocol and its values."""
