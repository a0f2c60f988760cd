"""From a document and live columns to a map that runs."""
