"""From a value of one side to a value of the other, one step at a time."""
