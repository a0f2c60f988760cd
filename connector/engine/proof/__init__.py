"""Both sides read whole: the dry run, and the proof that they are equal."""
