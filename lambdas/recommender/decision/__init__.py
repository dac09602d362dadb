"""The decisions: the next step, the readiness, the drift (pure)."""
