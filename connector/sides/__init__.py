"""The systems of a project, opened by their settings."""
