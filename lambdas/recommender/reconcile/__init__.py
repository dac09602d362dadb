"""Observe, decide, make the next change behind the fence."""
