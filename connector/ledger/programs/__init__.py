"""Loyalty programs: who earns what for which sale, tiers, what points pay."""
