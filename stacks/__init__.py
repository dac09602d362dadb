"""Settings, stack and constructs of a deployment."""
