"""What is deployed: settings, stack and constructs."""
