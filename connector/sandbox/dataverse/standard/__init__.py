"""What every organization has before anybody customizes it, and the loyalty tables."""
