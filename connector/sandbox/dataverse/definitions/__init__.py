"""What tables are made of, and how the metadata API shows it."""
