"""Rewards in the manner of web shops: triggers, previews, products with a price in points."""
