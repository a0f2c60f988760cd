"""The sync engine. Reading order: merge, plan, observe, settle, cycle."""
