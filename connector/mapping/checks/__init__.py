"""What is wrong with maps that are sound by themselves."""
