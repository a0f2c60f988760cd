"""What happened, told to those who registered for it."""
