"""The command to look at a stack: `python -m operations status|drift|leftovers`.

From a person's own machine or a job, with the same decisions as the functions in the account.
"""
