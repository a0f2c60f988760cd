"""What people decide about records and runs, carried out conditionally like every write."""
