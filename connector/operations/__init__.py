"""What a command does, as functions with plain results; the command line only shows them."""
