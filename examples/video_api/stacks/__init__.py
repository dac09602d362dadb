"""The service's stacks: a package that is called as one of the recommender's repository is."""
