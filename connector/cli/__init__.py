"""The command line, one file per command group; it parses, calls bootstrap and prints."""
