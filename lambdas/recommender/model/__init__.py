"""The types: a request, whose and when it is, a configuration, a recommender as it shows (pure)."""
