"""The points journal: postings, lots, balances."""
