"""Who may do what: roles, teams, column security."""
