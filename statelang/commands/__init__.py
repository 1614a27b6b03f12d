"""One module for each verb: `add` declares its arguments, `run` does it and gives the exit status.

Only this package and `statelang.cli` know every room; what a verb needs is imported in its `run`.
"""
