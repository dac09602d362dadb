"""The observer: it observes a recommender and writes metrics; it changes nothing."""
