"""Segments: saved queries over the holders of cards."""
