"""The types: a request, its owner and time, a configuration, an observed recommender (pure)."""
