"""The embedded commerce ledger: cards, reward point kinds and the feed of their changes.

Owns: its tables (`schema.py`), what a field accepts (`fields.py`), writes (`batch.py`), reads
(`entity_store.py`), the change feed (`feed.py`), the import of files (`importer.py`).
Never does: knowing that a sync exists.
"""
