"""Compute from values that were read: positions, comparisons, leftovers (pure)."""
