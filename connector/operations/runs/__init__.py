"""Runs over maps: writing ones, dry ones, and those that were."""
