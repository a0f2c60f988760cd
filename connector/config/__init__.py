"""What a config may say: one model per section, and what is wrong with a file."""
