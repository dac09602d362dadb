"""Observe, decide, change one thing behind the fence."""
