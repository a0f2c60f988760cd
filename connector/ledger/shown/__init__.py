"""What the ledger shows of points: entities that others may read and nobody may write."""
