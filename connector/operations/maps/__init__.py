"""Maps brought in and out, compared and previewed."""
