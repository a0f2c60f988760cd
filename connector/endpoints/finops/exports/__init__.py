"""Change detection of Finance and Operations by incremental package exports."""
