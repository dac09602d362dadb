"""Render values as lines for people (pure)."""
