"""What `make check` runs that is neither a test nor a linter of Python."""
