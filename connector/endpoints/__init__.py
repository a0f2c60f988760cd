"""One package per system, each behind the protocol in `base.py`."""
