"""Functions for `writes` clauses: exact arithmetic, Python programs, queries on a database."""

from statelang.engine.tools.functions import Python, Sqlite, arithmetic

__all__ = ["Python", "Sqlite", "arithmetic"]
