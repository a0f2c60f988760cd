"""Records that were set aside, and the ways out of that."""
