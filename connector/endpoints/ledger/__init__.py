"""The embedded ledger as an endpoint."""
