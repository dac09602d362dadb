"""Shows a stack from outside: `python -m operations plan|status|drift|leftovers`.

It runs on your machine or in a job, and decides by the code of the functions.
"""
