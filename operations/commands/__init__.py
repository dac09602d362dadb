"""Run a command: read AWS, print, change what was confirmed; return the exit code."""
