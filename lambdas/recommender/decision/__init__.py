"""The decisions: which next step, whether it is ready, what has drifted (pure)."""
