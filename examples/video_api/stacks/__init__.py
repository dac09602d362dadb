"""The service's stacks; the recommender's repository has a package of the same name."""
