"""The observer: it observes a recommender and writes what it saw; it changes nothing."""
