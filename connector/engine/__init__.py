"""The sync engine. Reading order: merge, plan, news.observe, settle, cycle, runs.run, proof."""
