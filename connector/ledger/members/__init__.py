"""Members: customers and cards, with the groups, households and programs they belong to."""
