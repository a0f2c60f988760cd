"""`dualwrite ledger`: one file per group of commands; `group.py` joins them."""
